import { managedPrometheusEmulator } from '../../../src/sandbox/emulators/azure-monitor/managed-prometheus.ts'
import { prometheusEmulator } from '../../../src/sandbox/emulators/prometheus/prometheus-emulator.ts'
import { fixedSeries } from '../../../src/sandbox/emulators/prometheus/series-source.ts'
import { azureOn, clusterOn } from '../azure-monitor/azure.ts'
import { FIXTURE, START } from '../prometheus/fixture.ts'
import { metricsContract } from './suite.ts'

const now = () => (START + 300) * 1000
const close = async () => {}

metricsContract('the emulator', async () => {
  const { azure } = await azureOn(() => prometheusEmulator({ source: fixedSeries(FIXTURE), now }))
  const source = await clusterOn(azure, { prometheus: { url: 'http://prometheus.test/' } })
  return { source, system: 'Prometheus east', close }
})

metricsContract('managed Prometheus', async () => {
  const ofCluster = (cluster: string) =>
    FIXTURE.map(({ labels, samples }) => ({ labels: { ...labels, cluster }, samples }))
  const source = fixedSeries([...ofCluster('east'), ...ofCluster('west')])
  const { azure } = await azureOn((checkToken) => managedPrometheusEmulator({ source, now, checkToken }))
  const endpoint = 'https://shop-1a2b.westeurope.prometheus.monitor.azure.com'
  return {
    source: await clusterOn(azure, { azureMonitor: { endpoint } }),
    system: 'Azure Monitor east',
    added: { cluster: 'east' },
    close,
  }
})
