import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lastIssuerEvent } from '../../../../src/mesh/linkerd/issuer-events.ts'
import { countAnchors } from '../../../../src/mesh/linkerd/pods.ts'
import { readRoots } from '../../../../src/mesh/trust/read-roots.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { type TestRoot, testRoot } from '../../fakes/mesh-authority.ts'
import { clusterDocument } from '../world.ts'
import { IdentityWorld, NAMESPACE, type TestIssuer, testIssuer } from './identity-world.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const ONE = '1'.repeat(64)
const TWO = '2'.repeat(64)
let a: TestRoot
let issuer: TestIssuer
let world: IdentityWorld

beforeAll(async () => {
  a = await testRoot('a', NOW)
  issuer = await testIssuer(a, NOW)
})
beforeEach(() => {
  world = new IdentityWorld()
  world.configMap(a.pem)
  world.secret(issuer, 'tls')
})

describe('a look at a cluster of Linkerd', () => {
  it('counts the Pods with a proxy by the anchors that they started with, those of the control plane apart', async () => {
    world.meshed('shop', 'web-1', ONE, HOUR_MS)
    world.meshed('shop', 'web-2', ONE.toUpperCase())
    world.meshed('pay', 'till', TWO)
    world.meshed('pay', 'old', '')
    world.controlPlane('identity', 2 * HOUR_MS)
    world.controlPlane('destination', 3 * HOUR_MS)
    await world.look()
    expect(world.trust).toMatchObject({
      state: 'seen',
      reason: 'Looked',
      message: '4 Pods have a proxy; they started with 3 different sets of anchors.',
      anchors: { [ONE]: 2, [TWO]: 1, '': 1 },
      pods: { count: 4, oldestStart: '2026-05-01T09:00:00Z' },
      controlPlane: { count: 2, oldestStart: '2026-05-01T07:00:00Z' },
      bundles: [
        { roots: readRoots(a.pem).map(({ fingerprint }) => fingerprint), namespaces: 1, examples: [NAMESPACE] },
      ],
      without: [],
    })
  })

  it('counts a Pod of another namespace that calls itself a control plane among all others', async () => {
    world.meshed('shop', 'web', ONE)
    world.cluster.change('kubelet', 'Pod', 'web', ({ metadata, ...pod }) => ({
      ...pod,
      metadata: { ...metadata, labels: { ...metadata.labels, 'linkerd.io/control-plane-component': 'identity' } },
    }))
    await world.look()
    expect(world.trust).toMatchObject({ anchors: { [ONE]: 1 }, controlPlane: { count: 0 } })
  })

  it('asks for three objects and two lists, and of Pods for their metadata alone', async () => {
    world.cluster.forget()
    await world.look()
    expect(world.cluster.forget().sort()).toEqual([
      'get ConfigMap',
      'get Namespace',
      'get Secret',
      'list Event',
      'listMetadata Pod',
    ])
  })

  it('reads for how long identity issues while a rotation lasts: the longest of it, for what was issued lives on', async () => {
    const says = (lifetime: string) => {
      const containers = [{ name: 'identity', args: ['identity', `-identity-issuance-lifetime=${lifetime}`] }]
      const metadata = { name: 'linkerd-identity', namespace: NAMESPACE }
      const spec = { template: { spec: { containers } } }
      world.cluster.edit('helm', { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
    }
    const seen = async () => {
      world.later(MINUTE_MS)
      await world.look()
      return world.trust.issuanceLifetimeMs
    }
    says('72h0m0s')
    expect(await seen()).toBeUndefined()
    world.rotate({ phase: 'widening' })
    expect(await seen()).toBe(72 * HOUR_MS)
    says('24h0m0s')
    expect(await seen()).toBe(72 * HOUR_MS)
    says('96h')
    expect(await seen()).toBe(96 * HOUR_MS)
    world.cluster.before = (request) => {
      if (request === 'list Deployment') throw new PortError('denied', 'Kubernetes', 'deployments is forbidden')
    }
    expect(await seen()).toBe(96 * HOUR_MS)
    world.rotate({ phase: 'succeeded' })
    expect(await seen()).toBeUndefined()
    world.rotate({ phase: 'widening' })
    expect(await seen()).toBeUndefined()
    expect(world.trust.state).toBe('seen')
  })

  it('tells what the identity controller said last of its issuer', async () => {
    world.event('IssuerUpdated', 5 * MINUTE_MS)
    world.event('IssuerUpdateSkipped', 2 * MINUTE_MS)
    world.event('IssuedLeafCertificate', MINUTE_MS)
    world.event('IssuerUpdated', 1000, 'another', 'someone')
    await world.look()
    expect(world.trust.issuerEvent).toEqual({
      reason: 'IssuerUpdateSkipped',
      at: '2026-05-01T09:58:00.000Z',
      message: 'said IssuerUpdateSkipped',
    })
  })

  it('does without events where it may not list them', async () => {
    world.cluster.before = (request) => {
      if (request === 'list Event') throw new PortError('denied', 'Kubernetes', 'events is forbidden')
    }
    await world.look()
    expect(world.trust.state).toBe('seen')
    expect(world.trust.issuerEvent).toBeUndefined()
  })

  it('says what is missing: the ConfigMap, or the namespace', async () => {
    world.cluster.objects.delete(`v1/ConfigMap/${NAMESPACE}/linkerd-identity-trust-roots`)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'seen', reason: 'NoBundles', without: [NAMESPACE], bundles: [] })
    expect(world.trust.found).toBeUndefined()
    world.later(MINUTE_MS)
    world.cluster.objects.delete(`v1/Namespace//${NAMESPACE}`)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'NamespaceMissing' })
  })

  it('says when the cluster has another mesh, and when the mesh of istiod is asked of Linkerd', async () => {
    world.store.put(clusterDocument())
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'NotLinkerd' })
    expect(world.cluster.forget()).not.toContain('get Secret')
  })

  it('is news to the rotation when a Pod with other anchors comes, an event, or a restart; not when numbers move', async () => {
    world.meshed('shop', 'web', ONE, HOUR_MS)
    world.controlPlane('identity', HOUR_MS)
    await world.look()
    const news = async (change: () => void) => {
      world.later(MINUTE_MS)
      change()
      await world.look()
      return world.work().includes('rotate-ca')
    }
    expect(await news(() => undefined)).toBe(false)
    expect(await news(() => world.meshed('shop', 'web-2', ONE))).toBe(false)
    expect(await news(() => world.meshed('shop', 'web-3', TWO))).toBe(true)
    expect(await news(() => world.event('IssuerUpdated', 1000))).toBe(true)
    expect(await news(() => world.controlPlane('identity', 1000))).toBe(true)
    expect(await news(() => world.configMap(`${a.pem}\n`))).toBe(true)
  })

  it('comes again in ten minutes when nothing rotates: another hand may change what was brought', async () => {
    await world.look()
    expect(world.work()).toContain('trust in 600 s')
  })

  it('that fails keeps what was seen before', async () => {
    world.meshed('shop', 'web', ONE)
    await world.look()
    world.later(MINUTE_MS)
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes', 'no route')
    }
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'Unreachable', anchors: { [ONE]: 1 } })
    expect(world.trust.found?.anchors).toBe(a.pem)
  })
})

describe('the metrics of a cluster of Linkerd', () => {
  const series = (name: string, labels: Readonly<Record<string, string>>, ...values: readonly number[]) =>
    world.metrics.put(
      'east',
      name,
      labels,
      values.map((value, index) => [NOW - (values.length - 1 - index) * 30_000, value] as const),
    )

  it('tell when the issuer ends that signs, by what is left to it', async () => {
    await world.want(a.pem, issuer)
    series('issuer_cert_ttl_seconds', { pod: 'linkerd-identity-1' }, 31_535_970 + 30, 31_536_000)
    await world.look()
    expect(world.trust.istiod).toEqual({ chainNotAfter: readRoots(issuer.caCert)[0]?.notAfter })
  })

  it('tell of an issuer that one of several replicas has not taken', async () => {
    await world.want(a.pem, issuer)
    series('issuer_cert_ttl_seconds', { pod: 'linkerd-identity-1' }, 31_536_000)
    series('issuer_cert_ttl_seconds', { pod: 'linkerd-identity-2' }, 3600)
    await world.look()
    expect(world.trust.istiod?.chainNotAfter).toBe('2026-05-01T11:00:00.000Z')
  })

  it('tell how many handshakes failed, as the proxies of servers count them', async () => {
    const slow = Array.from({ length: 24 }, (_, index) => (index < 14 ? 0 : (index - 13) * 2))
    series('inbound_tcp_errors_total', { error: 'i/o', pod: 'web' }, ...slow)
    series('inbound_tcp_errors_total', { error: 'tls detection timeout', pod: 'web' }, ...slow)
    await world.look()
    expect(world.trust.failures).toEqual({ now: 20, before: 0 })
  })

  it('that do not answer fail the look, which keeps what the cluster told', async () => {
    world.meshed('shop', 'web', ONE)
    world.metrics.failure = new PortError('unavailable', 'Prometheus', 'no answer')
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'MetricsUnavailable', anchors: { [ONE]: 1 } })
  })
})

describe('anchors that Pods started with', () => {
  it('are of twenty kinds at most: the rest counts as Pods that do not say, and none is lost', () => {
    const pods = Array.from({ length: 60 }, (_, index) => {
      const hash = (index % 25).toString(16).padStart(64, '0')
      return { name: `web-${index}`, annotations: { 'linkerd.io/trust-root-sha256': hash } }
    })
    const counts = countAnchors(pods)
    expect(Object.keys(counts)).toHaveLength(20)
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(60)
    expect(counts['']).toBeGreaterThan(5)
  })
})

describe('the last event of an issuer', () => {
  const event = (reason: string, more: Readonly<Record<string, unknown>>, resourceVersion = '1') => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: reason, resourceVersion, creationTimestamp: '2026-05-01T09:00:00Z' },
    reason,
    message: reason,
    ...more,
  })

  it('is told by when it was seen last, not by when it was made', () => {
    const skipped = event('IssuerUpdateSkipped', { lastTimestamp: '2026-05-01T10:00:00Z', count: 7 })
    const updated = event('IssuerUpdated', { lastTimestamp: null, eventTime: '2026-05-01T09:30:00.000000Z' })
    expect(lastIssuerEvent([skipped, updated])?.reason).toBe('IssuerUpdateSkipped')
    const again = { ...updated, series: { count: 2, lastObservedTime: '2026-05-01T10:00:01.5Z' } }
    expect(lastIssuerEvent([skipped, again])).toMatchObject({ reason: 'IssuerUpdated', at: '2026-05-01T10:00:01.500Z' })
  })

  it('of two in one second is the one that was written later', () => {
    const at = { lastTimestamp: '2026-05-01T10:00:00Z' }
    const [skipped, updated] = [event('IssuerUpdateSkipped', at, '100'), event('IssuerUpdated', at, '99')]
    expect(lastIssuerEvent([updated, skipped])?.reason).toBe('IssuerUpdateSkipped')
    expect(lastIssuerEvent([skipped, { ...updated, metadata: { name: 'u', resourceVersion: '101' } }])?.reason).toBe(
      'IssuerUpdated',
    )
  })

  it('that is no refusal tells of the last one too: events do not say which replica spoke', () => {
    const [skipped, updated] = [
      event('IssuerUpdateSkipped', { lastTimestamp: '2026-05-01T10:00:00Z' }),
      event('IssuerUpdated', { lastTimestamp: '2026-05-01T10:00:05Z' }),
    ]
    const said = { at: '2026-05-01T10:00:00.000Z', message: 'IssuerUpdateSkipped' }
    expect(lastIssuerEvent([skipped, updated])).toMatchObject({ reason: 'IssuerUpdated', skipped: said })
    expect(lastIssuerEvent([updated])).not.toHaveProperty('skipped')
    expect(lastIssuerEvent([skipped])).not.toHaveProperty('skipped')
  })

  it('is made when it says no time, and absent where there is none', () => {
    expect(lastIssuerEvent([event('IssuerUpdated', {})])?.at).toBe('2026-05-01T09:00:00.000Z')
    expect(lastIssuerEvent([event('IssuedLeafCertificate', {})])).toBeUndefined()
  })
})
