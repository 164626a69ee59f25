import { describe } from 'vitest'
import { azureOn, clusterOn } from '../contract/azure-monitor/azure.ts'
import { metricsContract } from '../contract/metrics/suite.ts'
import { installedPrometheus, realPrometheus } from '../contract/prometheus/real-prometheus.ts'

const version = installedPrometheus()

// In CI a missing program fails; elsewhere it is skipped with a word.
describe.skipIf(version === undefined && !process.env.CI)("Meshwright's metrics", () => {
  metricsContract(`a real Prometheus (${version ?? 'not installed'})`, async () => {
    const { url, close } = await realPrometheus()
    const { azure } = await azureOn(() => async () => ({ status: 404, headers: {}, body: '' }))
    const source = await clusterOn({ ...azure, fetch }, { prometheus: { url: `${url}/` } })
    return { source, system: 'Prometheus east', close }
  })
})
