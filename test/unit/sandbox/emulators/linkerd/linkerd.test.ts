import { beforeEach, describe, expect, it } from 'vitest'
import { kubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from '../../../../../src/sandbox/emulators/kubernetes/seed.ts'
import { ANCHORS_HASH, linkerdEmulator } from '../../../../../src/sandbox/emulators/linkerd/linkerd.ts'
import { hashOf } from '../../../../../src/sandbox/emulators/linkerd/state.ts'
import { labelMatcher } from '../../../../../src/sandbox/emulators/prometheus/matcher.ts'
import { linkerdInjector } from '../../../../../src/sandbox/linkerd-injector.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import { type TestCaSet, testCaSet, testRoot } from '../../../fakes/mesh-authority.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MOUNT_MS = 60_000

const [rootA, rootB] = [await testRoot('a', NOW), await testRoot('b', NOW)]
const [a, b] = [await testCaSet(rootA, NOW), await testCaSet(rootB, NOW)]
const both = rootA.pem + rootB.pem

let now = NOW
let world: ReturnType<typeof startWorld>
beforeEach(() => {
  now = NOW
  world = startWorld()
})

function startWorld() {
  const storage = memoryStorage()
  const context = { now: () => now, random: Math.random, storage }
  const kubernetes = kubernetesEmulator(context, { tokens: {} })
  const open = () => linkerdEmulator(context, { kubernetes, name: 'north', mountMs: MOUNT_MS })
  const linkerd = open()
  return { kubernetes, open, linkerd, injector: linkerdInjector(() => linkerd) }
}

function install(set: TestCaSet = a, anchors: string = set.rootCert, args: readonly string[] = []): void {
  const containers = [{ name: 'identity', args: ['identity', ...args] }]
  const template = { metadata: { labels: { app: 'identity' } }, spec: { containers } }
  const metadata = { name: 'linkerd-identity', namespace: 'linkerd' }
  const spec = { selector: { matchLabels: { app: 'identity' } }, template }
  writeIssuer(set)
  writeAnchors(anchors)
  world.kubernetes.seed([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }])
  restartController()
}

function writeAnchors(text: string): void {
  const metadata = { name: 'linkerd-identity-trust-roots', namespace: 'linkerd' }
  world.kubernetes.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca-bundle.crt': text } }])
}

function writeIssuer({ caCert, caKey }: TestCaSet, names: readonly [string, string] = ['crt.pem', 'key.pem']): void {
  const metadata = { name: 'linkerd-identity-issuer', namespace: 'linkerd' }
  const stringData = { [names[0]]: caCert, [names[1]]: caKey }
  world.kubernetes.seed([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData }])
}

let pods = 0
/** New Pods in the place of those of the control plane. */
function restartController(): void {
  for (const { metadata } of world.kubernetes.list('v1', 'Pod', 'linkerd'))
    world.kubernetes.remove('v1', 'Pod', 'linkerd', metadata.name ?? '')
  for (const component of ['identity', 'proxy-injector']) {
    pods += 1
    const labels = { 'linkerd.io/control-plane-component': component, 'linkerd.io/control-plane-ns': 'linkerd' }
    const metadata = { name: `linkerd-${component}-${pods}`, namespace: 'linkerd', labels }
    world.kubernetes.seed([{ apiVersion: 'v1', kind: 'Pod', metadata }])
  }
  world.linkerd.advance()
}

function addPod(name: string): void {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'payments', name }, spec: { containers: [] } }
  world.kubernetes.seed([world.injector.inject(pod)])
  world.linkerd.advance()
}

function restart(name: string): void {
  world.kubernetes.remove('v1', 'Pod', 'payments', name)
  addPod(name)
}

function pass(ms: number): void {
  now += ms
  world.linkerd.advance()
}

const proxyOf = (name: string) => [...world.linkerd.proxies().values()].find(({ pod }) => pod === `payments/${name}`)
const events = () =>
  world.kubernetes
    .list('v1', 'Event', 'linkerd')
    .map(({ reason, message, count, type, lastTimestamp }) => ({ reason, message, count, type, lastTimestamp }))
const signer = () => [...world.linkerd.controllers().values()][0]?.issuer?.fingerprint

function newest(metric: string): number | undefined {
  const [series] = world.linkerd.metrics.series([labelMatcher('__name__', '=', metric)], now - 60_000, now)
  return series?.samples.at(-1)?.[1] ?? undefined
}

describe('a controller', () => {
  it('signs for a day and twenty seconds with the issuer that it found at its start', () => {
    install()
    addPod('web')
    expect(proxyOf('web')?.leaf).toMatchObject({ notBefore: NOW - 20_000, notAfter: NOW + DAY_MS + 20_000 })
    expect(proxyOf('web')?.leaf?.signer).toBe(signer())
    expect(events()).toEqual([])
  })

  it('signs for as long as its arguments say, and reads the keys of the form that they name', () => {
    writeIssuer(b, ['tls.crt', 'tls.key'])
    install(a, rootA.pem, ['-identity-scheme=kubernetes.io/tls', '-identity-issuance-lifetime=1h0m0s'])
    expect(signer()).toBeUndefined()
    writeIssuer(a, ['tls.crt', 'tls.key'])
    addPod('web')
    expect(proxyOf('web')?.leaf?.notAfter).toBe(NOW + HOUR_MS + 20_000)
  })

  it('takes another issuer of its anchors once the kubelet has brought it, and says so', async () => {
    install()
    pass(1000)
    const before = signer()
    writeIssuer(await testCaSet(rootA, NOW))
    pass(MOUNT_MS - 1000)
    expect(signer()).toBe(before)
    pass(1000)
    expect(signer()).not.toBe(before)
    expect(events()).toMatchObject([{ reason: 'IssuerUpdated', type: 'Normal', count: 1 }])
    expect(world.kubernetes.list('v1', 'Event', 'linkerd')[0]?.involvedObject).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'linkerd',
      name: 'linkerd-identity',
    })
  })

  it.each<[string, TestCaSet, string]>([
    ['of other anchors', b, 'certificate signed by unknown authority'],
    ['with the key of another', { ...a, caKey: b.caKey }, 'Public and private key do not match'],
    ['without a key', { ...a, caKey: '' }, 'not PEM-encoded'],
    ['without a certificate', { ...a, caCert: '' }, 'No certificates found'],
  ])('skips an issuer %s: the old one signs on', (_, set, words) => {
    install()
    const before = signer()
    writeIssuer(set)
    pass(MOUNT_MS)
    expect(signer()).toBe(before)
    const message = expect.stringMatching(`^Skipping issuer update as certs could not be read from disk: .*${words}`)
    expect(events()).toMatchObject([{ reason: 'IssuerUpdateSkipped', type: 'Warning', message }])
  })

  it('says the same again by the count of its event, and an hour later it is forgotten', () => {
    install()
    for (const set of [b, a, b]) {
      writeIssuer(set)
      pass(MOUNT_MS)
    }
    const last = `${new Date(now).toISOString().slice(0, 19)}Z`
    expect(events()).toContainEqual(
      expect.objectContaining({ reason: 'IssuerUpdateSkipped', count: 2, lastTimestamp: last }),
    )
    pass(HOUR_MS + 1000)
    expect(events()).toEqual([])
  })

  it('knows the anchors of its start and no others', () => {
    install()
    writeAnchors(both)
    pass(10 * MOUNT_MS)
    writeIssuer(b)
    pass(MOUNT_MS)
    expect(events()).toMatchObject([{ reason: 'IssuerUpdateSkipped' }])
    restartController()
    addPod('web')
    expect(proxyOf('web')?.leaf?.signer).toBe(signer())
    expect([...world.linkerd.controllers().values()][0]?.anchors).toBe(hashOf(both))
  })

  it('that starts with an issuer of other anchors gives no leaf until they fit', () => {
    install(b, rootA.pem)
    addPod('web')
    expect([signer(), proxyOf('web')?.leaf]).toEqual([undefined, undefined])
    writeAnchors(both)
    expect(signer()).toBeDefined()
  })

  it('tells when its issuer ends', () => {
    install()
    now += 5000
    expect(newest('issuer_cert_ttl_seconds')).toBe(31_536_000 - 5)
  })

  it('outlives a restart of the sandbox', () => {
    install()
    writeAnchors(both)
    now += HOUR_MS
    expect([...world.open().controllers().values()][0]?.anchors).toBe(hashOf(rootA.pem))
  })
})

describe('the injector', () => {
  const annotation = (name: string) =>
    world.kubernetes.get('v1', 'Pod', 'payments', name)?.metadata.annotations?.[ANCHORS_HASH]

  it('marks Pods with the anchors that it has mounted: new ones come with a delay, or with its own restart', () => {
    install()
    pass(MOUNT_MS)
    writeAnchors(both)
    addPod('early')
    expect(annotation('early')).toBe(hashOf(rootA.pem))
    pass(MOUNT_MS)
    addPod('late')
    expect(annotation('late')).toBe(hashOf(both))
    writeAnchors(rootB.pem)
    restartController()
    addPod('after')
    expect(annotation('after')).toBe(hashOf(rootB.pem))
  })

  it('wants Pods that ask for it, by themselves or by their namespace, and none of the control plane', () => {
    const { wants } = world.injector
    const pod = (metadata: SeedObject['metadata']) => ({ apiVersion: 'v1', kind: 'Pod', metadata })
    const annotations = { 'linkerd.io/inject': 'enabled' }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { annotations } }
    expect(wants(pod({}), undefined)).toBe(false)
    expect(wants(pod({}), namespace)).toBe(true)
    expect(wants(pod({ annotations: { 'linkerd.io/inject': 'disabled' } }), namespace)).toBe(false)
    expect(wants(pod({ annotations }), undefined)).toBe(true)
    expect(wants(pod({ labels: { 'linkerd.io/control-plane-component': 'identity' } }), namespace)).toBe(false)
  })
})

describe('proxies', () => {
  it('ask again when seven tenths of the leaf are over', async () => {
    install()
    addPod('web')
    writeIssuer(await testCaSet(rootA, NOW))
    pass((DAY_MS + 20_000) * 0.7 - 1000)
    expect(proxyOf('web')?.leaf?.signer).not.toBe(signer())
    pass(1000)
    expect(proxyOf('web')?.leaf?.signer).toBe(signer())
  })

  it('never learn of anchors, and keep their leaf when they cannot verify the next: with its end they are out', () => {
    install()
    addPod('old')
    writeAnchors(both)
    restartController()
    writeIssuer(b)
    pass(MOUNT_MS)
    pass(20 * HOUR_MS)
    expect(proxyOf('old')?.leaf?.signer).not.toBe(signer())
    expect(proxyOf('old')?.leaf?.notAfter).toBe(NOW + DAY_MS + 20_000)
    pass(5 * HOUR_MS)
    expect(world.linkerd.failingPairs().map((pair) => pair.map(({ pod }) => pod))).toContainEqual([
      'payments/old',
      'payments/old',
    ])
  })

  it('connect through a rotation of the root in which everything restarts in time', () => {
    install()
    for (const name of ['web', 'api']) addPod(name)
    const restartAll = () => {
      restartController()
      for (const name of ['web', 'api']) restart(name)
    }
    pass(MOUNT_MS)
    writeAnchors(both)
    restartAll()
    writeIssuer(b)
    pass(MOUNT_MS)
    restartAll()
    writeAnchors(rootB.pem)
    restartAll()
    pass(DAY_MS)
    expect(world.linkerd.failingPairs()).toEqual([])
    expect(newest('inbound_tcp_errors_total')).toBeUndefined()
    expect(proxyOf('web')).toMatchObject({ anchors: hashOf(rootB.pem), leaf: { signer: signer() } })
  })

  it('fail when one still has the old anchors alone while another shows the new issuer, and that is counted', () => {
    install()
    addPod('old')
    writeAnchors(both)
    restartController()
    addPod('new')
    writeIssuer(b)
    pass(MOUNT_MS)
    restart('new')
    expect(proxyOf('new')?.leaf?.signer).toBe(signer())
    const failing = world.linkerd.failingPairs().map((pair) => pair.map(({ pod }) => pod))
    expect(failing).toContainEqual(['payments/old', 'payments/new'])
    pass(5000)
    expect(newest('inbound_tcp_errors_total')).toBeGreaterThan(0)
  })

  it('cannot start with the new anchor alone while the controller still shows a leaf of the old one', () => {
    install()
    addPod('old')
    writeAnchors(both)
    restartController()
    restart('old')
    writeIssuer(b)
    pass(MOUNT_MS)
    writeAnchors(rootB.pem)
    pass(MOUNT_MS)
    addPod('new')
    expect(proxyOf('new')?.leaf).toBeUndefined()
    const failing = () => world.linkerd.failingPairs().map(([client, server]) => [client.pod, server.pod])
    expect(failing()).toEqual([['payments/new', expect.stringMatching('^linkerd/linkerd-identity-')]])
    restartController()
    pass(10_000)
    expect(proxyOf('new')?.leaf?.signer).toBe(signer())
    // The other still shows a leaf of the old anchor.
    expect(failing()).toContainEqual(['payments/new', 'payments/old'])
  })
})
