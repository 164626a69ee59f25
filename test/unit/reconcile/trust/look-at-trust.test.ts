import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readRoots } from '../../../../src/mesh/trust/read-roots.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { type TestRoot, testRoot } from '../../fakes/mesh-authority.ts'
import { clusterDocument } from '../world.ts'
import { setEnding, TrustWorld } from './trust-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-05-01T10:00:00.000Z')

let [a, b]: TestRoot[] = []
let world: TrustWorld
beforeAll(async () => {
  ;[a, b] = [await testRoot('a', NOW), await testRoot('b', NOW)]
})
beforeEach(() => {
  world = new TrustWorld()
  for (const name of ['kube-system', 'default', 'shop', 'pay']) world.namespace(name)
  world.namespace('shop', { 'istio-injection': 'enabled' })
})

function fingerprints(...roots: (TestRoot | undefined)[]): readonly string[] {
  return roots.flatMap((root) => readRoots(root?.pem ?? '').map(({ fingerprint }) => fingerprint))
}

function trusts(pem: string, ...namespaces: readonly string[]): void {
  for (const namespace of namespaces) world.bundle(namespace, pem)
}

describe('a look at the trust of a cluster', () => {
  it('groups namespaces by the roots that their bundles hold, the largest group first', async () => {
    trusts(`${a?.pem}${b?.pem}`, 'shop')
    trusts(a?.pem ?? '', 'default', 'pay')
    await world.look()
    expect(world.trust).toMatchObject({ state: 'seen', reason: 'Looked', attempts: 0, ca: 'east-ca', cluster: 'east' })
    expect(world.trust.bundles).toEqual([
      { roots: fingerprints(a), namespaces: 2, examples: ['default', 'pay'] },
      { roots: fingerprints(a, b), namespaces: 1, examples: ['shop'] },
    ])
    expect(world.trust.without).toEqual([])
  })

  it('asks the cluster for four lists and nothing else', async () => {
    await world.look()
    expect(world.cluster.forget().sort()).toEqual([
      'list ConfigMap',
      'listMetadata Namespace',
      'listMetadata Pod',
      'listMetadata Pod',
    ])
  })

  it('tells of more than twenty groups as one that holds no root, so that none is taken for good', async () => {
    const roots = await Promise.all(['c', 'd', 'e', 'f', 'g'].map((name) => testRoot(name, NOW)))
    // Each bundle another choice of five roots.
    for (let choice = 1; choice <= 25; choice += 1) {
      world.namespace(`n${choice}`)
      const chosen = roots.filter((_, index) => (choice >> index) % 2 === 1)
      trusts(chosen.map(({ pem }) => pem).join(''), `n${choice}`)
    }
    await world.look()
    expect(world.trust.bundles).toHaveLength(20)
    expect(world.trust.bundles.at(-1)).toMatchObject({ roots: [], namespaces: 6 })
  })

  it('counts a root that a bundle holds twice once', async () => {
    trusts(`${a?.pem}${a?.pem}`, 'shop')
    await world.look()
    expect(world.trust.bundles[0]?.roots).toEqual(fingerprints(a))
  })

  it('names namespaces that want proxies, or have one, and lack a bundle', async () => {
    world.namespace('revised', { 'istio.io/rev': 'asm-1-30' })
    world.namespace('off', { 'istio.io/rev': 'asm-1-30', 'istio-injection': 'disabled' })
    world.namespace('kube-public', { 'istio-injection': 'enabled' })
    world.pod('pay', 'till', HOUR_MS)
    trusts(a?.pem ?? '', 'default')
    await world.look()
    expect(world.trust.without).toEqual(['pay', 'revised', 'shop'])
    expect(world.trust.reason).toBe('BundlesMissing')
  })

  it('counts a Pod once whichever mark it bears, and leaves out those that ended', async () => {
    trusts(a?.pem ?? '', 'shop', 'pay')
    world.pod('shop', 'web', HOUR_MS)
    world.pod('pay', 'job', 9 * HOUR_MS, { status: { phase: 'Succeeded' } })
    const labels = { 'service.istio.io/canonical-name': 'gateway' }
    const creationTimestamp = '2026-05-01T07:00:00Z'
    const metadata = { name: 'gateway', namespace: 'shop', labels, creationTimestamp }
    world.cluster.edit('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } })
    world.cluster.edit('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'plain', namespace: 'shop' } })
    await world.look()
    expect(world.trust.pods).toEqual({ count: 2, oldestStart: creationTimestamp })
  })
})

describe('namespaces that the CA excepts', () => {
  it('are not looked at: neither bundles, nor who lacks one, nor Pods', async () => {
    trusts(a?.pem ?? '', 'default', 'shop')
    trusts(b?.pem ?? '', 'other')
    for (const name of ['other', 'bare']) world.namespace(name, { 'istio-injection': 'enabled' })
    world.pod('other', 'web', 9 * HOUR_MS)
    world.except('other', 'bare')
    await world.look()
    expect(world.trust.bundles).toEqual([{ roots: fingerprints(a), namespaces: 2, examples: ['default', 'shop'] }])
    expect(world.trust).toMatchObject({ without: [], pods: { count: 0 } })
  })
})

describe('who else than Pods holds certificates', () => {
  const waits = () => world.rotate({ phase: 'renewing', takenAt: '2026-05-01T10:00:00.000Z' })
  const object = (apiVersion: string, kind: string, labels = {}) =>
    world.cluster.edit('kubectl', { apiVersion, kind, metadata: { name: 'one', namespace: 'kube-system', labels } })
  beforeEach(() => trusts(a?.pem ?? '', 'shop'))

  it.each<[string, () => void, string]>([
    ['nobody', () => undefined, 'none'],
    ['a ztunnel', () => object('v1', 'Pod', { app: 'ztunnel' }), 'ambient'],
    ['a namespace in ambient mode', () => world.namespace('pay', { 'istio.io/dataplane-mode': 'ambient' }), 'ambient'],
    ['a machine', () => object('networking.istio.io/v1', 'WorkloadEntry'), 'vms'],
    ['whoever may not be listed', () => refuse('denied'), 'unknown'],
    ['a kind that is not served', () => refuse('not-found'), 'none'],
  ])('%s', async (_, set, others) => {
    waits()
    set()
    await world.look()
    expect(world.trust).toMatchObject({ state: 'seen', pods: { others } })
  })

  function refuse(kind: 'denied' | 'not-found'): void {
    world.cluster.before = (call) => {
      if (call === 'listMetadata WorkloadEntry') throw new PortError(kind, 'Kubernetes east', 'no')
    }
  }

  it('is asked only while a rotation waits for proxies, and is news to it', async () => {
    world.rotate()
    await world.look()
    expect(world.trust.pods).not.toHaveProperty('others')
    expect(world.cluster.forget()).not.toContain('listMetadata WorkloadEntry')
    world.later(3000)
    waits()
    await world.look()
    expect(world.work()).toContain('rotate-ca')
  })
})

describe('what metrics tell', () => {
  beforeEach(() => trusts(a?.pem ?? '', 'shop'))

  function gauge(name: string, value: number, instance = 'istiod-1', at = NOW - 1000): void {
    world.metrics.put('east', name, { instance }, [[at, value]])
  }

  it('is nothing where the cluster names no metrics', async () => {
    world.metrics.without.add('east')
    await world.look()
    expect(world.trust).toMatchObject({ state: 'seen' })
    expect(world.trust).not.toHaveProperty('istiod')
    expect(world.trust).not.toHaveProperty('failures')
  })

  it.each([
    ['citadel_server_cert_chain_expiry_timestamp', (NOW + HOUR_MS) / 1000],
    ['citadel_server_cert_chain_expiry_seconds', 3601],
  ])('is the end of what istiod signs with, by %s', async (name, value) => {
    gauge(name, value)
    await world.look()
    expect(world.trust.istiod).toEqual({ chainNotAfter: '2026-05-01T11:00:00.000Z' })
  })

  it('is the end that is not wanted while replicas differ', async () => {
    world.ca({ current: setEnding('2026-05-01T11:00:00.000Z') })
    gauge('citadel_server_cert_chain_expiry_timestamp', (NOW + HOUR_MS) / 1000, 'istiod-1')
    gauge('citadel_server_cert_chain_expiry_timestamp', (NOW + 2 * HOUR_MS) / 1000, 'istiod-2')
    await world.look()
    expect(world.trust.istiod?.chainNotAfter).toBe('2026-05-01T12:00:00.000Z')
  })

  it('does not listen to a replica that is gone', async () => {
    gauge('citadel_server_root_cert_expiry_timestamp', (NOW + HOUR_MS) / 1000, 'old', NOW - 200_000)
    gauge('citadel_server_root_cert_expiry_timestamp', (NOW + 2 * HOUR_MS) / 1000, 'new')
    await world.look()
    expect(world.trust.istiod).toEqual({ rootNotAfter: '2026-05-01T12:00:00.000Z' })
  })

  it('is how many connections failed in the last five minutes and in the five before', async () => {
    const labels = { reporter: 'source', response_flags: 'UF,URX', instance: 'web' }
    const minutesAgo = (minutes: number, value: number) => [NOW - minutes * MINUTE_MS, value] as const
    world.metrics.put('east', 'istio_requests_total', labels, [
      minutesAgo(11, 500),
      minutesAgo(8, 504),
      minutesAgo(4, 510),
      // Restarted.
      minutesAgo(2, 3),
      minutesAgo(1, 7),
    ])
    world.metrics.put('east', 'istio_requests_total', { ...labels, instance: 'new' }, [minutesAgo(1, 5)])
    world.metrics.put('east', 'istio_requests_total', { ...labels, response_flags: 'DC' }, [minutesAgo(1, 99)])
    world.metrics.put('east', 'istio_requests_total', { ...labels, reporter: 'destination' }, [minutesAgo(1, 99)])
    await world.look()
    expect(world.trust.failures).toEqual({ now: 18, before: 4 })
  })
})

describe('the next look', () => {
  beforeEach(() => trusts(a?.pem ?? '', 'shop'))

  it('comes in an hour while nothing is rotated, and asks the rotation to look at the first', async () => {
    await world.look()
    expect(world.work()).toEqual(['rotate-ca', 'trust in 3600 s'])
  })

  it.each([
    [0, 3],
    [5, 15],
    [30, 60],
    [120, 300],
  ])('comes, %i minutes into a phase, in %i seconds', async (minutes, seconds) => {
    world.rotate()
    world.clock.at += minutes * MINUTE_MS
    await world.look()
    expect(world.work()).toContain(`trust in ${seconds} s`)
  })

  it('is planned once, however often somebody asks, and nothing new writes nothing', async () => {
    world.rotate()
    await world.look()
    const { writes } = world.store
    world.clock.at += 1000
    await world.look()
    expect(world.store.writes).toBe(writes)
  })

  it('asks the rotation only when there is news', async () => {
    world.rotate()
    await world.look()
    world.later(3000)
    await world.look()
    expect(world.work()).toEqual(['trust in 3 s'])
    world.later(3000)
    trusts(`${a?.pem}${b?.pem}`, 'shop')
    await world.look()
    expect(world.work()).toEqual(['rotate-ca', 'trust in 3 s'])
  })

  it('asks the rotation after the first look since its write, though it saw the same', async () => {
    world.rotate()
    await world.look()
    world.later(3000)
    world.rotate({ writtenAt: '2026-05-01T10:00:01.000Z' })
    await world.look()
    expect(world.work()).toContain('rotate-ca')
    expect(world.trust.lookedAt).toBe('2026-05-01T10:00:03.000Z')
    world.later(3000)
    await world.look()
    expect(world.work()).not.toContain('rotate-ca')
  })

  it('is as old as its begin: what was read before a write is not taken for what came after it', async () => {
    world.rotate()
    await world.look()
    world.later(3000)
    trusts(`${a?.pem}${b?.pem}`, 'shop')
    world.cluster.before = (call) => {
      if (call === 'list ConfigMap') world.clock.at += 2000
    }
    await world.look()
    expect(world.trust.bundles[0]?.roots).toHaveLength(2)
    expect(world.trust).toMatchObject({
      lookedAt: '2026-05-01T10:00:03.000Z',
      updatedAt: '2026-05-01T10:00:05.000Z',
    })
    // The vault was written in the middle of it: only the next look counts, though it sees the same.
    world.later(1000)
    world.rotate({ writtenAt: '2026-05-01T10:00:04.000Z' })
    await world.look()
    expect(world.trust.lookedAt).toBe('2026-05-01T10:00:06.000Z')
    expect(world.work()).toContain('rotate-ca')
  })

  it('comes as soon as every certificate has been renewed, and asks the rotation then', async () => {
    world.rotate({ phase: 'renewing', takenAt: '2026-05-01T10:00:00.000Z' })
    world.clock.at += 24 * HOUR_MS
    await world.look()
    world.later(13 * MINUTE_MS)
    await world.look()
    // 24 h and a quarter of an hour after it was taken.
    expect(world.work()).toEqual(['trust in 120.001 s'])
    world.later(120_001)
    await world.look()
    expect(world.work()).toContain('rotate-ca')
  })
})

describe('trouble', () => {
  it('of the cluster is a state that grows its pauses, and keeps what was seen', async () => {
    trusts(a?.pem ?? '', 'shop')
    await world.look()
    world.later(HOUR_MS)
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes east', 'no route to host')
    }
    await world.look()
    world.later(10_000)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'Unreachable', attempts: 2 })
    expect(world.trust.lookedAt).toBe('2026-05-01T10:00:00.000Z')
    expect(world.trust.bundles).toHaveLength(1)
    world.cluster.before = () => undefined
    world.later(10_000)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'seen', attempts: 0 })
    expect(world.work()).toContain('rotate-ca')
  })

  it('of metrics is a state too, with what the cluster told', async () => {
    trusts(a?.pem ?? '', 'shop')
    world.metrics.failure = new PortError('unavailable', 'Prometheus east', 'it is down')
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'MetricsUnavailable', message: 'it is down' })
    expect(world.trust.bundles).toHaveLength(1)
  })

  it.each([
    ['ClusterUnknown', () => world.store.documents.delete('cluster east')],
    ['NotIstio', () => world.store.put(clusterDocument({ mesh: { provider: 'linkerd' } }))],
  ])('is %s where there is nothing to look at', async (reason, break_) => {
    break_()
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason })
  })

  it('of a writer who was first makes it look again', async () => {
    await world.look()
    world.later(HOUR_MS)
    let once = true
    world.store.beforeWrite = (document) => {
      if (!once) return
      once = false
      world.store.put({ ...document, outbox: [] })
    }
    await world.look()
    expect(once).toBe(false)
    expect(world.trust.lookedAt).toBe('2026-05-01T11:00:00.000Z')
  })
})

describe('a CA that is gone', () => {
  it.each([
    ['removed', () => world.store.documents.delete('mesh-ca east-ca')],
    ['being deleted', () => world.ca({ deletingAt: '2026-05-01T10:00:00.000Z' })],
  ])('(%s) takes what was seen with it', async (_, go) => {
    await world.look()
    go()
    await world.look()
    expect(world.store.peek('trust', 'east-ca')).toBeUndefined()
    await world.look()
    expect(world.store.peek('trust', 'east-ca')).toBeUndefined()
  })
})
