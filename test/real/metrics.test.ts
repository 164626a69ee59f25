import { describe } from 'vitest'
import { metricsContract } from '../contract/metrics/suite.ts'
import { installedPrometheus, realPrometheus } from '../contract/prometheus/real-prometheus.ts'

const version = installedPrometheus()

// In CI a missing program fails; elsewhere it is skipped with a word.
describe.skipIf(version === undefined && !process.env.CI)("Meshwright's metrics", () => {
  metricsContract(`a real Prometheus (${version ?? 'not installed'})`, async () => {
    const { url, close } = await realPrometheus()
    return { url, fetch, close }
  })
})
