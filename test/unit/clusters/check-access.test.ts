import { describe, expect, it } from 'vitest'
import { checkAccess } from '../../../src/clusters/check-access.ts'
import {
  GATEWAY_ACCESS,
  IMPORT_ACCESS,
  REQUIRED_ACCESS,
  RESTART_ACCESS,
  TRUST_ACCESS,
} from '../../../src/clusters/required-access.ts'
import { certificateSpec } from '../../../src/model/certificate.ts'
import type { CertificateDocument } from '../../../src/model/documents.ts'
import { linkerdIdentitySpec, meshCaSpec } from '../../../src/model/mesh-ca.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { AT, aCluster, aService } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { meshCaDocument } from '../reconcile/trust/trust-world.ts'
import { aRollout } from '../rollouts/fixture.ts'

function aCertificate(name: string, change: Partial<CertificateDocument> = {}): CertificateDocument {
  const spec = certificateSpec.parse({
    purpose: 'gateway-tls',
    dnsNames: ['web.example.com'],
    clusters: [],
    secret: { namespace: `${name}-gateways`, name: 'tls' },
    issuer: { kind: 'self' },
  })
  const lists = { outbox: [], idempotency: [], conditions: [], history: [], clusters: [], leaving: [], warned: [] }
  const numbers = { schema: 1, generation: 1, observedGeneration: 1, revision: 1 }
  return { kind: 'certificate', name, spec, targets: {}, createdAt: AT, updatedAt: AT, ...lists, ...numbers, ...change }
}

function world() {
  const store = new MemoryStore()
  const clusters = new FakeClusters()
  store.put(aCluster('east'))
  return {
    store,
    clusters,
    check: (name = 'east', isForImport = false) => checkAccess({ store, clusters }, name, isForImport),
  }
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

  it('for an import are asked where one is meant, each once', async () => {
    const { clusters, check } = world()
    clusters.allowed = ({ verb, resource }) => !(verb === 'list' && resource === 'services')
    expect(await check()).toMatchObject({ value: { allowed: true } })
    expect(await check('east', true)).toMatchObject({
      value: { allowed: false, missing: [{ verb: 'list', group: '', resource: 'services' }] },
    })
    const listed = clusters.asked.slice(-REQUIRED_ACCESS.length - (IMPORT_ACCESS.istio?.length ?? 0))
    expect(new Set(listed.map((right) => JSON.stringify(right))).size).toBe(listed.length)
  })

  it('are asked for certificates in the namespaces of their gateways alone', async () => {
    const { store, clusters, check } = world()
    store.put(aCertificate('web', { clusters: ['east'] }))
    store.put(aCertificate('shop', { clusters: ['west'] }))
    clusters.allowed = ({ resource }) => resource !== 'secrets'
    const report = await check()
    expect(report).toMatchObject({
      ok: true,
      value: {
        missing: ['get', 'list', 'create', 'patch', 'delete'].map((verb) => ({ verb, namespace: 'web-gateways' })),
        rules: [{ namespace: 'web-gateways', apiGroups: [''], resources: ['secrets'], verbs: ['get'] }, {}, {}, {}, {}],
      },
    })
    expect(clusters.asked.filter(({ namespace }) => namespace !== undefined)).toHaveLength(GATEWAY_ACCESS.length)
    expect(clusters.asked.some(({ namespace }) => namespace === 'shop-gateways')).toBe(false)
    const { spec } = aCertificate('web')
    store.put(aCertificate('web', { clusters: ['east'], spec: { ...spec, delivery: 'csi' } }))
    await check()
    expect(clusters.asked.filter(({ resource }) => resource === 'secretproviderclasses')).toHaveLength(5)
  })

  it('are asked for trust bundles, by their one name, where a mesh CA is registered for the cluster', async () => {
    const { store, clusters, check } = world()
    clusters.allowed = ({ resource }) => resource !== 'configmaps' && resource !== 'workloadentries'
    expect(await check()).toMatchObject({ ok: true, value: { allowed: true } })
    store.put(meshCaDocument())
    const report = await check()
    const rule = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['istio-ca-root-cert'], verbs: ['list'] }
    expect(report.ok && report.value.missing).toEqual(TRUST_ACCESS.istio)
    const entries = { apiGroups: ['networking.istio.io'], resources: ['workloadentries'], verbs: ['list'] }
    expect(report.ok && report.value.rules).toEqual([rule, entries])
    store.put(aCluster('west'))
    expect(await check('west')).toMatchObject({ ok: true, value: { allowed: true } })
  })

  it("are asked for Linkerd's anchors and issuer by their names, in its namespace alone, where its CA is registered", async () => {
    const { store, clusters, check } = world()
    const spec = linkerdIdentitySpec.parse({
      purpose: 'linkerd-identity',
      cluster: 'east',
      namespace: 'mesh',
      root: { kind: 'vault-key' },
    })
    store.put(meshCaDocument({ spec }))
    await check()
    const asked = clusters.asked.filter(({ namespace }) => namespace === 'mesh')
    expect(asked.map(({ verb, resource, name = '' }) => `${verb} ${resource} ${name}`.trim())).toEqual([
      ...['get', 'create', 'patch'].map((verb) => `${verb} configmaps linkerd-identity-trust-roots`),
      ...['get', 'create', 'patch'].map((verb) => `${verb} secrets linkerd-identity-issuer`),
      'list events',
    ])
    expect(clusters.asked.some(({ name }) => name === 'istio-ca-root-cert')).toBe(false)
  })

  it('are asked for workloads where the mesh CA restarts them', async () => {
    const { store, clusters, check } = world()
    const ca = meshCaDocument()
    store.put({ ...ca, spec: meshCaSpec.parse({ ...ca.spec, restarts: {} }) })
    await check()
    expect(clusters.asked).toEqual(expect.arrayContaining([...RESTART_ACCESS]))
  })

  it('are asked for Deployments in the namespaces of services that are released by image there', async () => {
    const { store, clusters, check } = world()
    const image = { images: { '': 'registry.example.com/web:3' }, replicas: 'equal' } as const
    store.put(aService({ rollouts: [aRollout('progressing', { image })] }))
    store.put(aService({ namespace: 'other', rollouts: [aRollout('progressing')] }))
    await check()
    const asked = clusters.asked.filter(({ namespace }) => namespace !== undefined)
    expect(asked.map(({ verb, resource, namespace }) => `${verb} ${resource} ${namespace}`)).toEqual([
      'create deployments shop',
      'patch deployments shop',
    ])
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
