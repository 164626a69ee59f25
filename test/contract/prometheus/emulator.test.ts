import { prometheusEmulator } from '../../../src/sandbox/emulators/prometheus/prometheus-emulator.ts'
import { fixedSeries } from '../../../src/sandbox/emulators/prometheus/series-source.ts'
import { FIXTURE, START } from './fixture.ts'
import { type Ask, prometheusContract } from './suite.ts'

prometheusContract('the emulator', async () => {
  const emulator = prometheusEmulator({ source: fixedSeries(FIXTURE), now: () => (START + 300) * 1000 })
  return {
    majorVersion: 3,
    async ask(ask: Ask) {
      const response = await emulator({
        method: ask.method ?? (ask.form ? 'POST' : 'GET'),
        url: new URL(`http://prometheus${ask.path}?${new URLSearchParams(ask.query)}`),
        headers: ask.form ? { 'content-type': 'application/x-www-form-urlencoded' } : {},
        body: new TextEncoder().encode(new URLSearchParams(ask.form).toString()),
      })
      const isJson = response.headers['content-type'] === 'application/json'
      return { status: response.status, body: isJson ? JSON.parse(String(response.body)) : response.body }
    },
    async close() {},
  }
})
