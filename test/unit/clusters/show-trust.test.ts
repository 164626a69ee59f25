import { describe, expect, it } from 'vitest'
import { showTrust } from '../../../src/clusters/show-trust.ts'
import type { ProviderName } from '../../../src/model/cluster.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { aCluster } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { someFacts } from '../fakes/fake-managed-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { testRoot } from '../fakes/mesh-authority.ts'
import { meshCaDocument } from '../reconcile/trust/trust-world.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const root = await testRoot('a', NOW)

function world(provider: ProviderName | undefined = 'istio') {
  const store = new MemoryStore()
  const clusters = new FakeClusters()
  store.put(aCluster('east', provider === undefined ? {} : { mesh: { provider } }))
  const put = (name: string, key: string, ...namespaces: readonly string[]) =>
    clusters.objects.set(
      'ConfigMap',
      namespaces.map((namespace) => {
        return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [key]: root.pem } }
      }),
    )
  return { store, clusters, put, show: (name = 'east') => showTrust({ store, clusters }, name) }
}

describe('what proxies trust', () => {
  it('is shown by group with subjects and ends, whether a CA is registered or not', async () => {
    const { store, put, show } = world()
    put('istio-ca-root-cert', 'root-cert.pem', 'shop', 'default')
    const report = await show()
    expect(report).toMatchObject({ ok: true, value: { provider: 'istio', reason: 'Read', meshCas: [] } })
    expect(report.ok && report.value.bundles).toMatchObject([
      {
        namespaces: 2,
        examples: ['default', 'shop'],
        roots: [{ subject: 'CN=root-a, O=mesh', notAfter: '2036-04-28T10:00:00.000Z' }],
      },
    ])
    store.put(meshCaDocument())
    expect(await show()).toMatchObject({ ok: true, value: { meshCas: ['east-ca'] } })
  })

  it('is read of Linkerd too, which Meshwright rotates', async () => {
    const { put, show } = world('linkerd')
    put('linkerd-identity-trust-roots', 'ca-bundle.crt', 'linkerd')
    expect(await show()).toMatchObject({
      ok: true,
      value: { reason: 'Read', bundles: [{ namespaces: 1 }], rotation: { by: 'meshwright' } },
    })
  })

  it.each([
    ['consul', 'hand'],
    ['osm', 'none'],
  ] as const)('is nothing that %s shows in Kubernetes; it says how it is rotated', async (provider, by) => {
    const { clusters, show } = world(provider)
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'nobody need ask')
    expect(await show()).toMatchObject({ ok: true, value: { reason: 'NotObservable', bundles: [], rotation: { by } } })
  })

  it('of an istiod that made its own root says that AKS cannot change that in place', async () => {
    const { store, put, show } = world()
    put('istio-ca-root-cert', 'root-cert.pem', 'shop')
    store.put(aCluster('east', { mesh: { provider: 'istio' }, aks: someFacts() }))
    const report = await show()
    expect(report.ok && report.value.rotation).toMatchObject({ by: 'none' })
    expect(report.ok && report.value.rotation?.way).toContain('az aks mesh enable')
  })

  it('names the role to bind where the right is missing', async () => {
    const { clusters, show } = world()
    clusters.failures.set('list ConfigMap', new PortError('denied', 'Kubernetes east', 'configmaps is forbidden'))
    const report = await show()
    expect(report).toMatchObject({ ok: true, value: { reason: 'Denied', bundles: [] } })
    expect(report.ok && report.value.message).toContain('infra/kubernetes/trust-role.yaml')
  })

  it('is not known of a cluster that does not answer, has no mesh or is none', async () => {
    const { clusters, show } = world()
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'no route to host')
    expect(await show()).toMatchObject({ ok: false, failure: { code: 'Unavailable' } })
    expect(await show('west')).toMatchObject({ ok: false, failure: { code: 'NotFound' } })
    const bare = world()
    bare.store.put(aCluster('east', { mesh: undefined } as never))
    expect(await bare.show()).toMatchObject({ ok: true, value: { reason: 'NoMesh' } })
  })
})
