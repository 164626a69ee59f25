import { describe } from 'vitest'
import { installedPrometheus, realPrometheus } from '../contract/prometheus/real-prometheus.ts'
import { prometheusContract } from '../contract/prometheus/suite.ts'

const version = installedPrometheus()

// In CI a missing program fails; elsewhere it is skipped with a word.
describe.skipIf(version === undefined && !process.env.CI)('Prometheus', () => {
  prometheusContract(`the real program (${version ?? 'not installed'})`, realPrometheus)
})
