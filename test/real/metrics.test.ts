import { describe, expect, it } from 'vitest'
import { READY_GATES, readyQueries } from '../../src/mesh/ready-gates.ts'
import { countByQueries } from '../../src/rollouts/ask-queries.ts'
import { azureOn, clusterOn } from '../contract/azure-monitor/azure.ts'
import { metricsContract } from '../contract/metrics/suite.ts'
import { START } from '../contract/prometheus/fixture.ts'
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

  it('takes the queries of every ready-made gate, which find nothing there', async () => {
    const { url, close } = await realPrometheus()
    const { azure } = await azureOn(() => async () => ({ status: 404, headers: {}, body: '' }))
    const source = await clusterOn({ ...azure, fetch }, { prometheus: { url: `${url}/` } })
    const service = { namespace: 'shop', name: 'web' }
    const asked = { source, service, cluster: 'east', versions: { v2: 'v2' }, stable: 'v1' }
    const window = { fromMs: START * 1000, toMs: (START + 60) * 1000, nowMs: (START + 60) * 1000, notBeforeMs: 0 }
    for (const [name, ready] of Object.entries(READY_GATES)) {
      const gate = { kind: 'counts', name, limitPercent: 1, ...readyQueries(ready) } as const
      expect(await countByQueries(asked, gate, window), name).toMatchObject({ ok: false, reason: 'NoData' })
    }
    await close()
  })
})
