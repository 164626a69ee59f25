import { beforeEach, describe, expect, it } from 'vitest'
import { textHash } from '../../../src/mesh/linkerd/identity.ts'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import type { ProviderName } from '../../../src/model/cluster.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import { linkerdIntent } from '../../../src/model/linkerd-intent.ts'
import { othersCa } from '../mesh-ca/linkerd-world.ts'
import { clusterDocument, shopWorld, type World } from './fixture.ts'

const PATH = '/api/v1/certificates/east-id'
const BODY = { purpose: 'linkerd-identity', cluster: 'east', root: { kind: 'vault-key', hsm: false } }
const MESH_CA = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' } }

let world: World
beforeEach(() => {
  world = shopWorld()
  runs('east', 'linkerd')
})

const runs = (name: string, provider: ProviderName) =>
  world.store.put(clusterDocument(name, { mesh: { provider, namespace: provider } }))
const advance = () => advanceCa(world.deps, 'east-id')
const document = () => world.store.get('mesh-ca', 'east-id')

/** What reconcile would record. */
function see(more: Partial<TrustDocument> = {}): void {
  world.clock.time += 60_000
  const at = new Date(world.clock.time).toISOString()
  world.store.put({
    ...{ schema: 1, kind: 'trust', outbox: [], createdAt: at, updatedAt: at, ca: 'east-id', cluster: 'east' },
    ...{ state: 'seen', reason: 'Seen', message: 'Seen.', lookedAt: at, bundles: [], without: [], attempts: 0 },
    pods: { count: 0 },
    ...more,
  })
}

describe('the identity of a Linkerd', () => {
  it('is registered, made where there is none, shown, changed and let go; no answer holds a key', async () => {
    const created = await world.call('PUT', PATH, { body: BODY })
    expect(created).toMatchObject({
      status: 201,
      json: { purpose: 'linkerd-identity', namespace: 'linkerd', trustDomain: 'cluster.local', serial: null },
    })
    expect(created.json.intermediate.key).toBe('P-256')
    await advance()
    expect((await world.call('GET', PATH)).json.conditions).toContainEqual(
      expect.objectContaining({ type: 'Issued', status: 'False', reason: 'WaitsForLook' }),
    )
    see()
    await advance()
    const shown = await world.call('GET', PATH)
    expect(shown.json).toMatchObject({ phase: 'succeeded', observedGeneration: 1, renews: 'intermediate' })
    expect(shown.json.current.signer.subject).toContain('CN=identity.linkerd.cluster.local')
    expect((await world.call('PUT', PATH, { body: shown.json })).json.generation).toBe(1)
    expect((await world.call('PATCH', PATH, { body: { workloadTtl: '12h' } })).json).toMatchObject({
      workloadTtl: '12h',
    })
    const list = await world.call('GET', '/api/v1/certificates')
    expect(list.json.value).toMatchObject([{ name: 'east-id', purpose: 'linkerd-identity' }])
    expect(JSON.stringify([created.json, shown.json, list.json])).not.toContain('PRIVATE')
    expect((await world.call('DELETE', PATH)).status).toBe(204)
    expect((await world.call('GET', PATH)).status).toBe(404)
  })

  it('is taken over, paused, resumed and taken back', async () => {
    const { anchors, issuer } = await othersCa(world.clock.time)
    await world.call('PUT', PATH, { body: BODY })
    const there = {
      found: { anchors, issuer },
      pods: { count: 1, oldestStart: '2020-01-01T00:00:00Z' },
      controlPlane: { count: 1, oldestStart: '2020-01-01T00:00:00Z' },
    }
    see(there)
    await advance()
    expect((await world.call('GET', PATH)).json.rotation).toMatchObject({ what: 'root', phase: 'widening' })
    const { revision = 0, anchors: wide = '' } = linkerdIntent(document()) ?? {}
    const at = new Date(world.clock.time).toISOString()
    see({ ...there, delivered: { revision, anchors: textHash(wide), issuer: '', at } })
    await advance()
    expect((await world.call('GET', PATH)).json.rotation).toMatchObject({ reason: 'WaitsForControlPlane' })
    expect((await world.call('DELETE', PATH)).json).toMatchObject({ code: 'Conflict' })
    expect((await world.call('POST', `${PATH}/pause`)).json.rotation.paused).toBeDefined()
    expect((await world.call('POST', `${PATH}/resume`)).json.rotation.paused).toBeUndefined()
    expect((await world.call('POST', `${PATH}/abort`)).json.rotation).toMatchObject({
      phase: 'narrowing',
      direction: 'back',
    })
    await advance()
    expect(linkerdIntent(document())).toMatchObject({ anchors, revision: revision + 1 })
    expect(world.store.get('mesh-ca', 'east-id').current).toBeUndefined()
  })

  it('is rotated by what is said, and not before it is there', async () => {
    await world.call('PUT', PATH, { body: BODY })
    expect((await world.call('POST', `${PATH}/rotate`)).json).toMatchObject({ errors: [{ pointer: '/what' }] })
    for (const what of ['root', 'intermediate'])
      expect((await world.call('POST', `${PATH}/rotate`, { body: { what } })).json).toMatchObject({ code: 'Conflict' })
    see()
    await advance()
    const rotated = await world.call('POST', `${PATH}/rotate`, { body: { what: 'intermediate' } })
    expect(rotated).toMatchObject({ status: 202, json: { rotation: { what: 'intermediate' } } })
    const change = await world.call('PATCH', PATH, { body: { trustDomain: 'other.local' } })
    expect(change.json).toMatchObject({ errors: [{ pointer: '/trustDomain' }] })
  })

  it('keeps its purpose, its namespace and its cluster', async () => {
    await world.call('PUT', PATH, { body: BODY })
    runs('west', 'linkerd')
    for (const [field, value] of [
      ['purpose', 'mesh-ca'],
      ['cluster', 'west'],
    ])
      expect((await world.call('PUT', PATH, { body: { ...BODY, [field as string]: value } })).json).toMatchObject({
        code: 'Conflict',
        errors: [{ pointer: `/${field}` }],
      })
    expect((await world.call('PATCH', PATH, { body: { namespace: 'mesh' } })).json).toMatchObject({
      code: 'Conflict',
      errors: [{ pointer: '/namespace' }],
    })
    const tls = { purpose: 'gateway-tls', dnsNames: ['a.example'], clusters: [], issuer: { kind: 'self' } }
    const secret = { namespace: 'shop', name: 'a' }
    expect((await world.call('PUT', PATH, { body: { ...tls, secret } })).json).toMatchObject({
      code: 'Conflict',
      errors: [{ pointer: '/purpose' }],
    })
  })

  it('of a control plane in another namespace is so on', async () => {
    const put = await world.call('PUT', PATH, { body: { ...BODY, namespace: 'mesh', trustDomain: 'shop.local' } })
    expect(put.json).toMatchObject({ namespace: 'mesh' })
    see()
    await advance()
    expect(document().current?.signer.subject).toContain('CN=identity.mesh.shop.local')
  })

  it('shares a vault with others: its secrets bear its name', async () => {
    runs('west', 'linkerd')
    expect((await world.call('PUT', PATH, { body: BODY })).status).toBe(201)
    const other = '/api/v1/certificates/west-id'
    expect((await world.call('PUT', other, { body: { ...BODY, cluster: 'west' } })).status).toBe(201)
    const secrets = { rootCert: 'a', certChain: 'b', caCert: 'c', caKey: 'east-id-issuer-key' }
    expect((await world.call('PUT', other, { body: { ...BODY, cluster: 'west', secrets } })).json).toMatchObject({
      code: 'Conflict',
      errors: [{ pointer: '/secrets' }],
    })
  })

  it.each<[ProviderName, object, string, string]>([
    ['istio', BODY, '/purpose', 'nearest: mesh-ca'],
    ['linkerd', MESH_CA, '/purpose', 'nearest: linkerd-identity'],
    ['consul', BODY, '/cluster', 'runs consul'],
    ['osm', BODY, '/cluster', 'runs osm'],
    ['consul', MESH_CA, '/cluster', 'runs consul'],
  ])('is refused on a cluster with %s: %j', async (provider, body, pointer, reason) => {
    runs('east', provider)
    const answer = await world.call('PUT', PATH, { body })
    expect(answer).toMatchObject({ status: 422, json: { code: 'UnsupportedFeature', errors: [{ pointer }] } })
    expect(answer.json.errors[0].reason).toContain(reason)
  })

  it.each([
    [{ ...BODY, intermediate: { key: 'P-384' } }, '/intermediate/key'],
    [{ ...BODY, trustDomain: 'no host' }, '/trustDomain'],
    [{ ...BODY, dnsNames: ['x'] }, '/dnsNames'],
  ])('of another form is refused: %j', async (body, pointer) => {
    const answer = await world.call('PUT', PATH, { body })
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer }] } })
  })

  it('is exported and imported with the CAs of other meshes', async () => {
    runs('west', 'istio')
    await world.call('PUT', PATH, { body: { ...BODY, trustDomain: 'shop.local' } })
    await world.call('PUT', '/api/v1/certificates/west-ca', { body: { ...MESH_CA, cluster: 'west' } })
    const { json } = await world.call('GET', '/api/v1/export')
    expect(json.meshCas).toMatchObject([
      { name: 'east-id', purpose: 'linkerd-identity', trustDomain: 'shop.local' },
      { name: 'west-ca', purpose: 'mesh-ca' },
    ])
    const report = await world.call('POST', '/api/v1/import', { body: json })
    const cas = report.json.value.filter(({ kind }: { kind: string }) => kind === 'mesh-ca')
    expect(cas).toMatchObject([
      { name: 'east-id', result: 'unchanged' },
      { name: 'west-ca', result: 'unchanged' },
    ])
  })
})
