import { beforeEach, describe, expect, it } from 'vitest'
import { clusterDocument } from '../world.ts'
import { CONFIG_MAP, hash, IdentityWorld, NAMESPACE, SECRET, testAuthorities, testIssuer } from './identity-world.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const { a, issuerA, both } = await testAuthorities()
let world: IdentityWorld

beforeEach(() => {
  world = new IdentityWorld()
})

describe('what holds a delivery', () => {
  const holds = async (reason: string) => {
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason, delivered: { revision: 101, anchors: hash(a.pem) } })
    // It was looked at all the same.
    expect(world.trust.found?.anchors).toBe(a.pem)
    return world.trust.message
  }
  beforeEach(async () => {
    await world.established(issuerA)
    await world.want(both, issuerA)
  })

  it('is a cluster that is only observed', async () => {
    const { spec } = clusterDocument()
    world.store.put({ ...clusterDocument(), mesh: { provider: 'linkerd' }, spec: { ...spec, mode: 'observe' } })
    expect(await holds('ObserveMode')).toContain('mode observe')
  })

  it('is meshwright.io/hold on the namespace, or on one of the two', async () => {
    world.cluster.change('kubectl', 'Secret', SECRET, (secret) => held(secret))
    await holds('ObjectHeld')
    world.later(MINUTE_MS)
    world.cluster.change('kubectl', 'Namespace', NAMESPACE, (namespace) => held(namespace))
    await holds('NamespaceHeld')
  })

  it('is a newer revision on an object: another Meshwright wrote it', async () => {
    marked('ConfigMap', CONFIG_MAP, { 'meshwright.io/revision': '999' })
    expect(await holds('FencedOff')).toContain('revision 999')
  })

  it('is a freeze that covers configuration, of any namespace of the cluster', async () => {
    world.freeze({ namespaces: ['shop'] })
    expect(await holds('FreezeActive')).toContain('sale')
  })

  it('is no freeze when the issuer ends within 7 days, which is told', async () => {
    world.freeze({})
    world.clock.at += 360 * DAY_MS
    await world.look()
    expect(world.live.anchors).toBe(both)
    expect(world.told()).toContain('certificate.freeze-passed')
  })

  it('is a freeze while a short-lived issuer has more than a fifth of its life left: it always ends within 7 days', async () => {
    const short = await testIssuer(a, world.clock.now(), 5 * DAY_MS)
    await world.want(a.pem, short)
    await world.look()
    expect(world.live.crt).toBe(short.caCert)
    world.freeze({})
    world.later(MINUTE_MS)
    world.cluster.forget()
    await world.want(both, short)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'FreezeActive' })
    expect(world.live.anchors).toBe(a.pem)
    world.later(4.1 * DAY_MS)
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  it('is no freeze on the way back', async () => {
    world.freeze({})
    world.rotate({ direction: 'back', phase: 'widening' })
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  it.each([
    ['Helm', 'ConfigMap', { annotations: { 'meta.helm.sh/release-name': 'linkerd' } }, 'identity.externalCA=true'],
    ['Helm', 'Secret', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'identity.externalCA=true'],
    ['cert-manager', 'Secret', { annotations: { 'cert-manager.io/certificate-name': 'x' } }, 'Remove the Certificate'],
    ['trust-manager', 'ConfigMap', { labels: { 'trust.cert-manager.io/bundle': 'x' } }, 'Remove the Bundle'],
    ['Argo CD', 'ConfigMap', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }, 'out of what Argo CD applies'],
    ['Flux', 'Secret', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }, 'out of what Flux applies'],
    [
      'SealedSecret issuer',
      'Secret',
      { ownerReferences: [{ kind: 'SealedSecret', name: 'issuer' }] },
      '--cascade=orphan',
    ],
  ])('is %s, which would put its %s back: it is named with the way out', async (owner, kind, metadata, wayOut) => {
    world.cluster.change('other', kind, kind === 'Secret' ? SECRET : CONFIG_MAP, (object) => ({
      ...object,
      metadata: { ...object.metadata, ...metadata },
    }))
    const message = await holds('Conflict')
    expect(message).toContain(`${owner}`)
    expect(message).toContain(wayOut)
  })

  it('is no field manager alone: what Helm wrote once and keeps no more is taken over', async () => {
    world.configMap(a.pem, {}, 'helm')
    world.cluster.change('helm', 'ConfigMap', CONFIG_MAP, (object) => ({
      ...object,
      data: { 'ca-bundle.crt': `${a.pem}\n` },
    }))
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  it('is another CA of this cluster, until it is deleted', async () => {
    const east = world.store.peek('mesh-ca', 'east-ca')
    if (east) world.store.put({ ...east, name: 'old-ca' })
    marked('ConfigMap', CONFIG_MAP, { 'meshwright.io/certificate': 'old-ca' })
    expect(await holds('Conflict')).toContain('old-ca')
    world.store.documents.delete('mesh-ca old-ca')
    world.later(MINUTE_MS)
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  const held = (object: { metadata: object }) =>
    ({ ...object, metadata: { ...object.metadata, annotations: { 'meshwright.io/hold': 'true' } } }) as never
  const marked = (kind: string, name: string, annotations: Readonly<Record<string, string>>) =>
    world.cluster.change('meshwright', kind, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
    }))
})
