import { beforeEach, describe, expect, it } from 'vitest'
import { handleWork, WorkFailedError } from '../../src/handle-work.ts'
import { findCondition } from '../../src/model/condition.ts'
import { followUpsOf } from '../../src/model/follow-ups.ts'
import type { QueueName, WorkMessage } from '../../src/model/outbox.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { NO_TELEMETRY } from '../../src/ports/telemetry.ts'
import { relayFeed } from '../../src/relay-feed.ts'
import { enumerateClusters, sweep } from '../../src/sweep.ts'
import { earlyBy, parseWorkMessage } from '../../src/work-message.ts'
import { virtualClock } from './adapters/virtual-clock.ts'
import { anEvent } from './chat/cards/a-story.ts'
import { AT, aCertificate, aCluster, aPlacement, aService, aTeam, spec } from './fakes/documents.ts'
import { FakeClusters } from './fakes/fake-clusters.ts'
import { FakeManagedClusters } from './fakes/fake-managed-clusters.ts'
import { FakeMetrics } from './fakes/fake-metrics.ts'
import { MemoryStore } from './fakes/memory-store.ts'
import { MemoryVaults } from './fakes/memory-vault.ts'
import { aRollout, later, MINUTE, SECOND, T0 } from './rollouts/fixture.ts'

const WAITING = [{ id: 'w', kind: 'work', queue: 'work', message: { kind: 'probe', cluster: 'east' } }] as const

let store: MemoryStore
let sent: (readonly [QueueName, WorkMessage])[]
beforeEach(() => {
  store = new MemoryStore()
  sent = []
})

const clock = { now: () => T0 + MINUTE, sleep: async () => undefined }
const queue = { send: async (name: QueueName, message: WorkMessage) => void sent.push([name, message]) }

describe('the sweep', () => {
  it('queues whatever is due, the longest waiting first, and does no more', async () => {
    store.put(aService({ dueAt: later(3 * SECOND) }))
    store.put(aCluster('east', { dueAt: later(2 * SECOND) }))
    store.put(aPlacement('west', { dueAt: later(SECOND) }))
    store.put(aService({ name: 'later', dueAt: later(2 * MINUTE) }))
    store.put(aService({ name: 'idle' }))
    expect(await sweep({ store, queue, clock })).toEqual({ due: 3, unrelayed: 0, oldestS: 0 })
    expect(sent).toEqual([
      ['work', { kind: 'reconcile', service: 'shop/web', cluster: 'west' }],
      ['work', { kind: 'probe', cluster: 'east' }],
      ['urgent', { kind: 'advance', service: 'shop/web' }],
      ['work', { kind: 'wave', service: 'shop/web' }],
    ])
    expect(store.writes).toBe(0)
  })

  it('queues certificates for who may ask the vault', async () => {
    store.put(aCertificate({ dueAt: later(SECOND) }))
    await sweep({ store, queue, clock })
    expect(sent).toEqual([['lifecycle', { kind: 'rotate', certificate: 'web-tls' }]])
  })

  it('queues notifications that wait for their time', async () => {
    const [followUp] = followUpsOf(anEvent('rollout.started', { time: later(0) }))
    if (followUp) store.put({ ...followUp.document, dueAt: later(SECOND) })
    await sweep({ store, queue, clock })
    expect(sent).toEqual([['work', { kind: 'notify', notification: followUp?.document.name }]])
  })

  it('has outboxes relayed that their writers left behind, but not those that are new', async () => {
    store.put(aService({ outbox: WAITING, updatedAt: later(49 * SECOND) }))
    store.put(aService({ name: 'new', outbox: WAITING, updatedAt: later(51 * SECOND) }))
    expect(await sweep({ store, queue, clock })).toEqual({ due: 0, unrelayed: 1, oldestS: 11 })
    expect(sent).toEqual([['work', { kind: 'relay', document: { kind: 'service', key: 'shop/web' } }]])
  })

  it('queues a probe and a comparison of every cluster, though there are many, and one choice by label', async () => {
    for (let index = 0; index < 1001; index += 1) store.put(aCluster(`c${index}`))
    expect(await enumerateClusters({ store, queue, clock })).toBe(1001)
    expect(sent).toHaveLength(2003)
    expect(new Set(sent.map(([, message]) => JSON.stringify(message))).size).toBe(2003)
    expect(sent.at(-1)).toEqual(['work', { kind: 'select', cluster: 'c0' }])
  })
})

describe('a queue message', () => {
  const messages: readonly WorkMessage[] = [
    { kind: 'reconcile', service: 'shop/web', cluster: 'east', session: 's' },
    { kind: 'advance', service: 'shop/web' },
    { kind: 'wave', service: 'shop/web', session: 's' },
    { kind: 'rotate', certificate: 'web-tls' },
    { kind: 'probe', cluster: 'east' },
    { kind: 'resync', cluster: 'east' },
    { kind: 'select', cluster: 'east' },
    { kind: 'command', command: 'c1' },
    { kind: 'notify', notification: 'abc', session: 's' },
    { kind: 'relay', document: { kind: 'service', key: 'shop/web' } },
  ]
  it.each(messages)('of kind $kind is read from text and from what the host has parsed', (message) => {
    expect(parseWorkMessage(JSON.stringify(message))).toEqual(message)
    expect(parseWorkMessage(message)).toEqual(message)
  })

  it('may have fields that are newer than this code', () => {
    expect(parseWorkMessage({ kind: 'probe', cluster: 'east', later: 'x' })).toEqual({ kind: 'probe', cluster: 'east' })
  })

  it('brings the trace that it belongs to; a broken one is left aside', () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const message = { kind: 'probe', cluster: 'east' }
    expect(parseWorkMessage({ ...message, trace })).toEqual({ ...message, trace })
    expect(parseWorkMessage({ ...message, trace: 7 })).toEqual(message)
    expect(parseWorkMessage({ ...message, notBefore: 'soon' })).toEqual(message)
    expect(parseWorkMessage({ ...message, trace: 'x'.repeat(56) })).toEqual(message)
  })

  it.each([
    undefined,
    null,
    7,
    '',
    '{',
    '[]',
    '"probe"',
    '{"kind":"dance"}',
    '{"kind":"probe"}',
    '{"kind":"reconcile","service":"a"}',
  ])('that is none of ours is none: %j', (received) => {
    expect(parseWorkMessage(received)).toBeUndefined()
  })
})

describe('a message that came early', () => {
  const at = (ms: number): WorkMessage => ({ kind: 'advance', service: 'shop/web', notBefore: later(ms) })

  it('is waited for, but not for longer than queues are early', () => {
    expect(earlyBy({ kind: 'advance', service: 'shop/web' }, T0)).toBe(0)
    expect(earlyBy(at(-SECOND), T0)).toBe(0)
    expect(earlyBy(at(700), T0)).toBe(700)
    expect(earlyBy(at(MINUTE), T0)).toBe(2500)
    expect(parseWorkMessage(JSON.stringify(at(700)))).toEqual(at(700))
  })
})

describe('work', () => {
  const clusters = new FakeClusters()
  const deps = () => ({
    store,
    clock,
    clusters,
    random: { next: () => 0.5, uuid: () => 'uuid' },
    metrics: new FakeMetrics(),
    managedClusters: new FakeManagedClusters(),
    caps: { perCluster: 10, inAll: 30 },
    settleMs: 1000,
    logger: { log: () => undefined },
    telemetry: NO_TELEMETRY,
    webhook: async () => 'https://example.com',
    directory: { person: async () => undefined },
    messenger: { send: async () => undefined },
    vaults: new MemoryVaults(),
    handshakes: { look: async () => undefined },
    podHandshakes: { leaf: async () => undefined },
    carryOut: async () => undefined,
    advance: async () => undefined,
    rotate: async () => ({ ok: true as const, value: 'It is being rotated.' }),
  })
  const work = (message: WorkMessage) => handleWork(deps(), message)

  it.each<WorkMessage>([
    { kind: 'reconcile', service: 'shop/web', cluster: 'east' },
    { kind: 'advance', service: 'shop/web' },
    { kind: 'wave', service: 'shop/web' },
    { kind: 'rotate', certificate: 'web-tls' },
    { kind: 'probe', cluster: 'east' },
    { kind: 'resync', cluster: 'east' },
    { kind: 'select', cluster: 'east' },
    { kind: 'deliver', certificate: 'web-tls', cluster: 'east' },
    { kind: 'notify', notification: 'gone' },
    { kind: 'relay', document: { kind: 'service', key: 'shop/web' } },
  ])('on what is gone is done: $kind', async (message) => {
    await work(message)
    expect(store.writes).toBe(0)
  })

  it('advances rollouts', async () => {
    store.put(aCluster('east'))
    store.put(aService({ rollouts: [aRollout('pending')] }))
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'it does not answer')
    await work({ kind: 'advance', service: 'shop/web' })
    clusters.refusal = undefined
    expect(store.get('service', 'shop/web').rollouts).toMatchObject([{ phase: 'preflight' }])
    expect(findCondition(store.get('placement', 'shop/web/east').conditions, 'Reachable')?.status).toBe('False')
  })

  it('probes, and ends a deletion that waited', async () => {
    store.put(aCluster('east', { dueAt: AT }))
    await work({ kind: 'probe', cluster: 'east' })
    expect(store.get('cluster', 'east')).toMatchObject({ kubernetesVersion: 'v1.36.3' })
    store.put(aCluster('east', { deletingAt: AT }))
    await work({ kind: 'probe', cluster: 'east' })
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })

  it('chooses clusters, and ends a deletion that waited', async () => {
    store.put(aCluster('east', { deletingAt: AT }))
    const byLabel = spec({ clusters: { matchLabels: { env: 'prod' } } })
    store.put(aService({ spec: byLabel, targets: {}, leaving: [] }))
    await work({ kind: 'select', cluster: 'east' })
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })

  it('relays', async () => {
    store.put(aService({ outbox: WAITING }))
    await work({ kind: 'relay', document: { kind: 'service', key: 'shop/web' } })
    expect(store.sent).toEqual([{ queue: 'work', message: { kind: 'probe', cluster: 'east' } }])
  })

  it('takes a service from a cluster that is gone without asking it', async () => {
    clusters.refusal = new PortError('unavailable', 'Kubernetes east', 'must not be asked')
    const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace: 'shop', name: 'web' }
    const entry = { ...object, uid: 'u', generation: 1, hash: 'h', changedAt: AT }
    store.put(aPlacement('east', { objects: [entry] }))
    store.put(aService({ targets: {}, leaving: ['east'], renderRevision: 103 }))
    for (let pass = 0; pass < 3; pass += 1) {
      await work({ kind: 'reconcile', service: 'shop/web', cluster: 'east' })
      await store.relayAll()
    }
    expect(store.get('service', 'shop/web').leaving).toEqual([])
    expect(store.peek('placement', 'shop/web/east')).toBeUndefined()
    clusters.refusal = undefined
  })

  it('looks at a certificate, and chooses its clusters', async () => {
    const east = aCluster('east')
    store.put({ ...east, spec: { ...east.spec, labels: { env: 'prod' } } })
    store.put(aCertificate())
    await work({ kind: 'rotate', certificate: 'web-tls' })
    expect(store.get('certificate', 'web-tls').conditions).toContainEqual(
      expect.objectContaining({ type: 'VaultReadable', status: 'True' }),
    )
    await work({ kind: 'select', cluster: 'east' })
    expect(store.get('certificate', 'web-tls').clusters).toEqual(['east'])
  })

  it('that lost its race again and again is handed out once more', async () => {
    store.put(aCluster('east'))
    store.put(aService({ rollouts: [aRollout('pending')] }))
    store.beforeWrite = () =>
      store.change('service', 'shop/web', (service) => ({ ...service, generation: service.generation + 1 }))
    await expect(work({ kind: 'advance', service: 'shop/web' })).rejects.toThrow(WorkFailedError)
  })
})

describe('the feed', () => {
  it('relays what is left in outboxes, and reads nothing else', async () => {
    const relayed: string[] = []
    store.relay = async (kind, key) => void relayed.push(`${kind} ${key}`)
    const team = aTeam()
    await relayFeed({ store, clock }, [
      aService({ outbox: WAITING }),
      team,
      aPlacement('east', { outbox: WAITING }),
      null,
      7,
      { id: 'x' },
    ])
    expect(relayed).toEqual(['service shop/web', 'placement shop/web/east'])
  })

  it('throws when the store does not answer, so that the batch comes again', async () => {
    store.relay = async () => {
      throw new PortError('unavailable', 'Cosmos DB', 'no answer')
    }
    await expect(relayFeed({ store, clock }, [aService({ outbox: WAITING })])).rejects.toThrow('no answer')
  })

  it('leaves a document to its writer for five seconds, though clocks disagree', async () => {
    const time = virtualClock(T0)
    const written = (secondsAgo: number, name: string) => ({
      ...aService({ name, outbox: WAITING }),
      _ts: T0 / 1000 - secondsAgo,
    })
    const relayed: string[] = []
    store.relay = async (_kind, key) => void relayed.push(`${key} after ${(time.now() - T0) / 1000} s`)
    const relaying = relayFeed({ store, clock: time }, [written(9, 'old'), written(2, 'new'), written(-60, 'ahead')])
    await time.pass(8000)
    await relaying
    expect(relayed).toEqual(['shop/old after 0 s', 'shop/new after 3 s', 'shop/ahead after 8 s'])
  })
})
