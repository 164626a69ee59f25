import { describe, expect, it } from 'vitest'
import { checkAccess } from '../../../src/clusters/check-access.ts'
import { REQUIRED_ACCESS } from '../../../src/clusters/required-access.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { aCluster } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

function world() {
  const store = new MemoryStore()
  const clusters = new FakeClusters()
  store.put(aCluster('east'))
  return { store, clusters, check: (name = 'east') => checkAccess({ store, clusters }, name) }
}

describe('the rights on a cluster', () => {
  it('are asked one by one, and all granted', async () => {
    const { clusters, check } = world()
    const report = await check()
    expect(report).toMatchObject({ ok: true, value: { allowed: true, missing: [], rules: [] } })
    expect(clusters.asked).toHaveLength(REQUIRED_ACCESS.length)
    expect(report.ok && report.value.granted).toHaveLength(REQUIRED_ACCESS.length)
  })

  it('that are missing are named, with what they are for and a rule that grants them', async () => {
    const { clusters, check } = world()
    clusters.allowed = ({ verb, resource }) => !(verb === 'patch' && resource === 'virtualservices')
    expect(await check()).toMatchObject({
      ok: true,
      value: {
        allowed: false,
        missing: [{ verb: 'patch', group: 'networking.istio.io', resource: 'virtualservices', why: 'writes routes' }],
        rules: [{ apiGroups: ['networking.istio.io'], resources: ['virtualservices'], verbs: ['patch'] }],
      },
    })
  })

  it('cannot be told when the cluster does not answer', async () => {
    const { clusters, check } = world()
    clusters.failures.set('mayI', new PortError('throttled', 'Kubernetes east', 'slow down', { retryAfterMs: 9000 }))
    expect(await check()).toMatchObject({ ok: false, failure: { code: 'Unavailable', retryAfterMs: 9000 } })
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'no answer')
    expect(await check()).toMatchObject({ ok: false, failure: { code: 'Unavailable', retryAfterMs: 5000 } })
  })

  it('on no cluster are none', async () => {
    expect(await world().check('nowhere')).toMatchObject({ ok: false, failure: { code: 'NotFound' } })
  })
})
