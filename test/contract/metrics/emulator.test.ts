import { prometheusEmulator } from '../../../src/sandbox/emulators/prometheus/prometheus-emulator.ts'
import { fixedSeries } from '../../../src/sandbox/emulators/prometheus/series-source.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { FIXTURE, START } from '../prometheus/fixture.ts'
import { metricsContract } from './suite.ts'

metricsContract('the emulator', async () => {
  const emulator = prometheusEmulator({ source: fixedSeries(FIXTURE), now: () => (START + 300) * 1000 })
  return { url: 'http://prometheus.test', fetch: fetchTransport(emulator), close: async () => {} }
})
