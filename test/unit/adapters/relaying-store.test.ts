import { beforeEach, describe, expect, it } from 'vitest'
import { relayingStore } from '../../../src/adapters/relaying-store.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { OutboxEntry, QueueName, WorkMessage } from '../../../src/model/outbox.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Store } from '../../../src/ports/store.ts'
import { auditRecord, eventRecord, rolloutDocument, serviceDocument } from '../../contract/store/documents.ts'
import { type MemoryStore, memoryStore } from './memory-store.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

type Sent = readonly [QueueName, WorkMessage, number | undefined]

let clock: VirtualClock
let plain: MemoryStore
let sent: Sent[]
let send: (name: QueueName, message: WorkMessage, delayMs?: number) => Promise<void>
let store: Store

beforeEach(() => {
  clock = virtualClock()
  plain = memoryStore()
  sent = []
  send = async (name, message, delayMs) => void sent.push([name, message, delayMs])
  store = relayingStore(plain, { send: (name, message, delayMs) => send(name, message, delayMs) }, clock)
})

const event = (id: string): OutboxEntry => ({ id, kind: 'event', event: eventRecord(id) })
const audit = (id: string): OutboxEntry => ({ id, kind: 'audit', record: auditRecord(id, 'services/shop/web') })
const work = (id: string, notBefore?: string): OutboxEntry => ({
  id,
  kind: 'work',
  queue: 'urgent',
  message: { kind: 'advance', service: 'shop/web' },
  ...(notBefore ? { notBefore } : {}),
})
const archive = (id: string): OutboxEntry => ({
  id,
  kind: 'archive',
  key: `shop/web/${id}`,
  value: rolloutDocument('shop/web', id),
})
const web = (outbox: readonly OutboxEntry[], more: Partial<ServiceDocument> = {}) =>
  serviceDocument('web', { outbox, ...more })
const kept = async () => (await plain.read('service', 'shop/web'))?.value
const unavailable = () => new PortError('unavailable', 'test', 'no answer')

describe('a write', () => {
  it('sends its outbox on and answers with what is left', async () => {
    const created = await store.create(web([event('e1'), work('w1'), archive('shop.web.k3')]))
    expect(created.value.outbox).toEqual([])
    expect(plain.appended.map(({ id }) => id)).toEqual(['e1'])
    expect(sent).toEqual([['urgent', { kind: 'advance', service: 'shop/web', session: 's1' }, 0]])
    expect(await plain.read('rollout', 'shop/web/shop.web.k3')).toBeDefined()
    expect(await kept()).toEqual(created.value)
    const replaced = await store.replace(created, { ...created.value, generation: 2, outbox: [event('e2')] })
    expect(replaced.value).toMatchObject({ generation: 2, outbox: [] })
    expect(await store.replace(replaced, replaced.value)).toMatchObject({ value: { generation: 2 } })
  })

  it('may leave its outbox, and send on later what it has not done itself', async () => {
    const created = await store.create(web([work('w1')]), 'left')
    const left = await store.replace(
      created,
      { ...created.value, outbox: [event('e1'), work('w1'), work('w2')] },
      'left',
    )
    expect(sent).toEqual([])
    expect((await kept())?.outbox).toHaveLength(3)
    await store.sendOn(left, new Set(['w1']))
    expect(sent).toHaveLength(1)
    expect(plain.appended.map(({ id }) => id)).toEqual(['e1'])
    expect((await kept())?.outbox).toEqual([])
  })

  it('takes out just what it left when another wrote meanwhile', async () => {
    const left = await store.create(web([work('w1'), work('w2')]), 'left')
    await plain.replace(left, web([work('w1'), work('w2'), work('w3')], { generation: 7 }))
    await store.sendOn(left, new Set(['w1']))
    expect(sent).toHaveLength(1)
    expect(await kept()).toMatchObject({ generation: 7, outbox: [{ id: 'w3' }] })
  })

  it('keeps what it left and could not send on', async () => {
    const left = await store.create(web([work('w1'), work('w2')]), 'left')
    send = () => Promise.reject(unavailable())
    await store.sendOn(left, new Set(['w1']))
    expect((await kept())?.outbox.map(({ id }) => id)).toEqual(['w2'])
  })

  it('costs one request when the outbox is empty', async () => {
    await store.create(web([]))
    expect(plain.calls).toEqual(['create service shop/web'])
    expect(clock.sleepers()).toBe(0)
  })

  it('delays work until its time, seven days at most', async () => {
    const at = (ms: number) => new Date(clock.now() + ms).toISOString()
    await store.create(web([work('a', at(90_000)), work('b', at(-5000)), work('c', at(30 * 86_400_000))]))
    expect(sent.map(([, , delayMs]) => delayMs)).toEqual([90_000, 0, 7 * 86_400_000])
  })

  it('keeps what could not be sent and still succeeds', async () => {
    send = () => Promise.reject(unavailable())
    const created = await store.create(web([event('e1'), work('w1')]))
    expect(created.value.outbox.map(({ id }) => id)).toEqual(['w1'])
    expect((await kept())?.outbox.map(({ id }) => id)).toEqual(['w1'])
  })

  it('takes an archive and an event that are there already as sent', async () => {
    await plain.create(rolloutDocument('shop/web', 'shop.web.k3'))
    await plain.appendEvent(eventRecord('e1'))
    const created = await store.create(web([event('e1'), archive('shop.web.k3')]))
    expect(created.value.outbox).toEqual([])
    expect(plain.appended).toHaveLength(1)
  })

  it('makes a notification of an event that people are told of, before the event leaves the outbox', async () => {
    const started = { ...eventRecord('e1', 'rollouts/shop.web.k3'), type: 'rollout.started' }
    const told: OutboxEntry = { id: 'e1', kind: 'event', event: started }
    const created = await store.create(web([told]))
    expect(created.value.outbox).toEqual([])
    const [, message] = sent[0] ?? []
    if (message?.kind !== 'notify') throw new Error('no notification was sent on')
    expect(await plain.read('notification', message.notification)).toMatchObject({ value: { event: started } })
    // A relay that died before the message finds the notification there, and sends the message again.
    send = () => Promise.reject(unavailable())
    const again = await store.replace(created, { ...created.value, outbox: [told] })
    expect(again.value.outbox).toEqual([told])
    send = async (name, after, delayMs) => void sent.push([name, after, delayMs])
    await store.relay('service', 'shop/web')
    expect(sent.map(([name, { kind }]) => `${name} ${kind}`)).toEqual(['work notify', 'work notify'])
    expect((await kept())?.outbox).toEqual([])
  })

  it('waits 500 ms for its outbox and no longer', async () => {
    const release = Promise.withResolvers<void>()
    send = () => release.promise
    let answered: unknown
    void store.create(web([event('e1'), work('w1')])).then((stored) => {
      answered = stored
    })
    await clock.pass(499)
    expect(answered).toBeUndefined()
    await clock.pass(1)
    expect(answered).toMatchObject({ tag: 't1', value: { outbox: [{ id: 'e1' }, { id: 'w1' }] } })
    // The removal would make the tag stale that the caller has by now.
    release.resolve()
    await clock.pass(0)
    expect(plain.calls.filter((call) => call.startsWith('replace'))).toEqual([])
  })

  it('does not relay a write that did not happen', async () => {
    plain.before = (call) => {
      if (call.startsWith('create service')) throw unavailable()
    }
    await expect(store.create(web([event('e1')]))).rejects.toMatchObject({ kind: 'unavailable' })
    expect(plain.appended).toEqual([])
  })
})

describe('another writer in between', () => {
  const interfere = (change: (document: ServiceDocument) => ServiceDocument | undefined) => {
    let once = true
    plain.before = async (call) => {
      if (!once || call !== 'replace service shop/web') return
      once = false
      const current = await plain.read('service', 'shop/web')
      if (!current) throw new Error('nothing there')
      const next = change(current.value)
      if (next) await plain.replace(current, next)
      else await plain.remove(current)
    }
  }

  it('keeps its change and its outbox; only what was sent goes', async () => {
    interfere((document) => ({ ...document, generation: 7, outbox: [...document.outbox, event('theirs')] }))
    const created = await store.create(web([event('ours')]))
    expect(await kept()).toMatchObject({ generation: 7, outbox: [{ id: 'theirs' }] })
    // The caller did not see generation 7: its next write must not undo it.
    await expect(store.replace(created, { ...created.value, generation: 2 })).rejects.toMatchObject({
      kind: 'precondition',
    })
  })

  it('may have relayed the same: then nothing is left to do, and the tag is the newest', async () => {
    interfere((document) => ({ ...document, outbox: [] }))
    const created = await store.create(web([event('e1')]))
    expect(created.value.outbox).toEqual([])
    await store.replace(created, { ...created.value, generation: 2 })
    expect(plain.appended).toHaveLength(1)
  })

  it('may have removed the document', async () => {
    interfere(() => undefined)
    const created = await store.create(web([event('e1')]))
    expect(created.value.outbox).toHaveLength(1)
    expect(await kept()).toBeUndefined()
    expect(plain.appended).toHaveLength(1)
  })

  it('may win every time: then the sweep does it', async () => {
    let generation = 10
    plain.before = async (call) => {
      if (call !== 'replace service shop/web') return
      plain.before = () => {}
      const current = await plain.read('service', 'shop/web')
      if (current) await plain.replace(current, { ...(current.value as ServiceDocument), generation: generation++ })
      plain.before = again
    }
    const again = plain.before
    await store.create(web([event('e1')]))
    expect((await kept())?.outbox).toHaveLength(1)
    plain.before = () => {}
    await store.relay('service', 'shop/web')
    expect((await kept())?.outbox).toEqual([])
    expect(plain.appended).toHaveLength(1)
  })
})

describe('a lost answer', () => {
  it('of the removal leaves a stale tag, never a lost change', async () => {
    plain.after = (call) => {
      if (call === 'replace service shop/web') throw unavailable()
    }
    const created = await store.create(web([event('e1')]))
    plain.after = () => {}
    expect((await kept())?.outbox).toEqual([])
    await expect(store.replace(created, created.value)).rejects.toMatchObject({ kind: 'precondition' })
  })

  it('of an event leads to a second try that changes nothing', async () => {
    plain.after = (call) => {
      if (call === 'event e1') throw unavailable()
    }
    const created = await store.create(web([event('e1')]))
    expect(created.value.outbox).toHaveLength(1)
    plain.after = () => {}
    await store.relay('service', 'shop/web')
    expect(plain.appended).toHaveLength(1)
    expect((await kept())?.outbox).toEqual([])
  })
})

describe('relay', () => {
  it('sends what an outbox holds and removes it', async () => {
    await plain.create(web([event('e1'), work('w1')]))
    await store.relay('service', 'shop/web')
    expect(plain.appended).toHaveLength(1)
    expect(sent).toHaveLength(1)
    expect((await kept())?.outbox).toEqual([])
  })

  it('does nothing for what is not there or has nothing to send', async () => {
    await store.relay('service', 'shop/absent')
    await plain.create(web([]))
    await store.relay('service', 'shop/web')
    expect(plain.calls.filter((call) => call.startsWith('replace'))).toEqual([])
  })

  it('removes what went, and says what did not go', async () => {
    await plain.create(web([event('e1'), work('w1')]))
    send = () => Promise.reject(unavailable())
    await expect(store.relay('service', 'shop/web')).rejects.toMatchObject({ kind: 'unavailable' })
    expect((await kept())?.outbox.map(({ id }) => id)).toEqual(['w1'])
  })

  it('by several at once ends as one would', async () => {
    await plain.create(web([event('e1'), event('e2'), work('w1')]))
    await Promise.all([1, 2, 3].map(() => store.relay('service', 'shop/web')))
    expect((await kept())?.outbox).toEqual([])
    expect(plain.appended.map(({ id }) => id)).toEqual(['e1', 'e2'])
    expect(sent.length).toBeGreaterThanOrEqual(1)
  })
})

describe('an audit record', () => {
  it('goes to its log by the write that it belongs to, once', async () => {
    const created = await store.create(web([audit('a1')]))
    expect(created.value.outbox).toEqual([])
    await store.replace(created, { ...created.value, outbox: [audit('a1')] })
    expect(plain.audited.map(({ id }) => id)).toEqual(['a1'])
  })
})

describe('a removal', () => {
  it('sends on before what is to be kept: afterwards there is no outbox', async () => {
    const stored = await plain.create(web([event('e1'), audit('a1'), work('w1')]))
    await store.remove(stored, [audit('a2')])
    expect(plain.appended.map(({ id }) => id)).toEqual(['e1'])
    expect(plain.audited.map(({ id }) => id)).toEqual(['a1', 'a2'])
    expect(sent).toEqual([])
    expect(await kept()).toBeUndefined()
  })

  it('does not happen when something does not go; tried again it tells once', async () => {
    const stored = await plain.create(web([audit('a1')]))
    plain.after = (call) => {
      if (call === 'audit a2') throw unavailable()
    }
    await expect(store.remove(stored, [audit('a2')])).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await kept()).toBeDefined()
    plain.after = () => {}
    await store.remove(stored, [audit('a2')])
    expect(plain.audited.map(({ id }) => id).toSorted()).toEqual(['a1', 'a2'])
    expect(await kept()).toBeUndefined()
  })
})
