import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlainStore } from '../../../src/adapters/relaying-store.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { PortErrorKind } from '../../../src/ports/port-error.ts'
import { aCertificate, aMeshCa } from '../../unit/fakes/documents.ts'
import {
  auditRecord,
  clusterDocument,
  eventRecord,
  foundDocument,
  placementDocument,
  rolloutDocument,
  serviceDocument,
  turnDocument,
} from './documents.ts'

export interface OpenedStore {
  readonly store: PlainStore
  /** Another instance of the product on the same state. */
  readonly other: PlainStore
  close(): Promise<void>
}

/** What every store keeps to. Each test uses names of its own, so that one store serves them all. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store on ${name}`, () => {
    let opened: OpenedStore
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())
    const both = () => opened

    describe('documents', () => documents(both))
    describe('lists', () => lists(both))
    describe('what is due', () => due(both))
    describe('events', () => events(both))
    describe('audit records', () => auditRecords(both))
  })
}

type Both = () => OpenedStore

function fails(kind: PortErrorKind) {
  return expect.objectContaining({ name: 'PortError', kind })
}

function documents(both: Both): void {
  it('reads what was created, by this and by another instance', async () => {
    const { store, other } = both()
    const created = await store.create(serviceDocument('created'))
    expect(created.tag).not.toBe('')
    const read = await store.read('service', 'shop/created', created.session)
    expect(read).toMatchObject({ value: serviceDocument('created'), tag: created.tag })
    expect(Object.keys(read?.value ?? {}).sort()).toEqual(Object.keys(serviceDocument('created')).sort())
    expect(await other.read('service', 'shop/created', created.session)).toMatchObject({ tag: created.tag })
  })

  it('answers undefined for what is not there, and keeps kinds with one name apart', async () => {
    const { store } = both()
    await store.create(clusterDocument('alone'))
    expect(await store.read('cluster', 'absent')).toBeUndefined()
    expect(await store.read('team', 'alone')).toBeUndefined()
    expect(await store.read('cluster', 'odd name?/#\\')).toBeUndefined()
  })

  it('refuses to create what is there', async () => {
    const { store } = both()
    await store.create(serviceDocument('twice'))
    await expect(store.create(serviceDocument('twice', { generation: 9 }))).rejects.toEqual(fails('conflict'))
    expect((await store.read('service', 'shop/twice'))?.value.generation).toBe(1)
  })

  it('gives a name to a certificate or to the CA of a mesh, whoever comes first, and to the other when that is gone', async () => {
    const { store, other } = both()
    const ca = await store.create(aMeshCa({ name: 'shared' }))
    await expect(other.create(aCertificate({ name: 'shared' }))).rejects.toEqual(fails('conflict'))
    expect(await store.read('certificate', 'shared', ca.session)).toBeUndefined()
    expect((await other.read('mesh-ca', 'shared', ca.session))?.value.spec.cluster).toBe('east')
    expect(await store.all('certificate', { prefix: 'shared' })).toEqual([])
    await store.remove(ca)
    await other.create(aCertificate({ name: 'shared' }))
    await expect(store.create(aMeshCa({ name: 'shared' }))).rejects.toEqual(fails('conflict'))
  })

  it('keeps what looks found of each place apart, and lets one of two that claim a turn have it', async () => {
    const { store, other } = both()
    const certificates = [{ kind: 'mesh-root', object: 'ConfigMap x', notAfter: '2030-01-01T00:00:00.000Z' }] as const
    for (const place of ['cluster', 'plug-in-ca', 'vault'] as const)
      await store.create(foundDocument({ place, name: 'alike', certificates, warned: { f: [60, 30] } }))
    const read = await other.read('found', 'plug-in-ca/alike')
    expect(read?.value).toEqual(
      foundDocument({ place: 'plug-in-ca', name: 'alike', certificates, warned: { f: [60, 30] } }),
    )
    expect((await store.all('found', { prefix: 'vault/' })).map(({ name }) => name)).toEqual(['alike'])
    const claims = [store, other].map((one, index) => one.create(turnDocument(`r${index}`)))
    const won = (await Promise.allSettled(claims)).filter(({ status }) => status === 'fulfilled')
    expect(won).toHaveLength(1)
    const held = await store.read('turn', 'suite')
    if (!held) throw new Error('nobody has the turn')
    const taken = await store.replace(held, turnDocument('r2'))
    await expect(other.replace(held, turnDocument('r3'))).rejects.toEqual(fails('precondition'))
    expect((await other.read('turn', 'suite', taken.session))?.value).toEqual(turnDocument('r2'))
  })

  it('replaces once for each tag', async () => {
    const { store, other } = both()
    const first = await store.create(serviceDocument('replaced'))
    const second = await other.replace(first, { ...first.value, generation: 2 })
    expect(second.tag).not.toBe(first.tag)
    await expect(store.replace(first, { ...first.value, generation: 3 })).rejects.toEqual(fails('precondition'))
    const third = await store.replace(second, { ...second.value, generation: 4 })
    expect(await store.read('service', 'shop/replaced', third.session)).toMatchObject({
      tag: third.tag,
      value: { generation: 4 },
    })
  })

  it('lets one of many writers with the same tag win', async () => {
    const { store, other } = both()
    const first = await store.create(clusterDocument('race'))
    const writes = [1, 2, 3, 4, 5, 6].map((attempts) =>
      (attempts % 2 ? store : other).replace(first, { ...first.value, attempts }),
    )
    const results = await Promise.allSettled(writes)
    const won = results.filter((result) => result.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toEqual(fails('precondition'))
    expect((await store.read('cluster', 'race'))?.value.attempts).toBe(won[0]?.value.value.attempts)
  })

  it('keeps fields that it does not know, and drops known ones that were left out', async () => {
    const { store } = both()
    const newer = { ...serviceDocument('newer'), dueAt: '2026-01-02T00:00:00.000Z', shape: { of: 'things to come' } }
    await store.create(newer as ServiceDocument)
    const read = await store.read('service', 'shop/newer')
    if (!read) throw new Error('not read')
    const replaced = await store.replace(read, serviceDocument('newer', { generation: 2 }))
    const again = await store.read('service', 'shop/newer', replaced.session)
    expect(again?.value).toEqual({ ...serviceDocument('newer', { generation: 2 }), shape: { of: 'things to come' } })
    expect(replaced.value).toEqual(again?.value)
  })

  it('refuses to replace one document by another', async () => {
    const { store } = both()
    const first = await store.create(serviceDocument('mine'))
    await expect(store.replace(first, serviceDocument('thine'))).rejects.toEqual(fails('invalid'))
  })

  it('removes what is as it was read, and says so when it is not', async () => {
    const { store } = both()
    const first = await store.create(serviceDocument('removed'))
    const second = await store.replace(first, { ...first.value, generation: 2 })
    await expect(store.remove(first)).rejects.toEqual(fails('precondition'))
    await store.remove(second)
    expect(await store.read('service', 'shop/removed')).toBeUndefined()
    await store.remove(second)
    await expect(store.replace(second, second.value)).rejects.toEqual(fails('precondition'))
    const anew = await store.create(serviceDocument('removed'))
    await expect(store.remove(second)).rejects.toEqual(fails('precondition'))
    await store.remove(anew)
  })

  it('keeps every character of what it is given', async () => {
    const { store } = both()
    const odd = { 'a/b': 'äöü ✓ 🙂 "quoted" \\ \u0000 \u2028', empty: '', number: '1e400' }
    const spec = { ...clusterDocument('odd').spec, labels: odd }
    await store.create(clusterDocument('odd', { spec }))
    expect((await store.read('cluster', 'odd'))?.value.spec.labels).toEqual(odd)
  })
}

function lists(both: Both): void {
  it('goes through all documents of a kind in the order of keys, page by page', async () => {
    const { store } = both()
    for (const number of [4, 1, 3, 0, 2]) await store.create(serviceDocument(`page-${number}`))
    const keys: string[] = []
    let after: string | undefined
    let pages = 0
    do {
      const page = await store.list('service', { prefix: 'shop/page-', limit: 2, ...(after ? { after } : {}) })
      keys.push(...page.value.map(({ value }) => `${value.namespace}/${value.name}`))
      after = page.next
      pages += 1
    } while (after !== undefined)
    expect(keys).toEqual([0, 1, 2, 3, 4].map((number) => `shop/page-${number}`))
    expect(pages).toBe(3)
  })

  it('has no next page when the last one is just full', async () => {
    const { store } = both()
    for (const name of ['full-a', 'full-b']) await store.create(clusterDocument(name))
    const page = await store.list('cluster', { prefix: 'full-', limit: 2 })
    expect(page.value).toHaveLength(2)
    expect(page.next).toBeUndefined()
  })

  it('narrows by a prefix and by fields', async () => {
    const { store } = both()
    const prod = { kubeconfig: { context: 'x' }, mode: 'manage', labels: { env: 'prod' } } as const
    await store.create(clusterDocument('field-a', { spec: prod }))
    await store.create(clusterDocument('field-b', { spec: { ...prod, mode: 'observe' } }))
    await store.create(clusterDocument('other-field', { spec: prod }))
    const names = async (where: Record<string, string | number | boolean>, prefix?: string) =>
      (await store.list('cluster', { where, ...(prefix ? { prefix } : {}) })).value.map(({ value }) => value.name)
    expect(await names({ 'spec.labels.env': 'prod' })).toEqual(['field-a', 'field-b', 'other-field'])
    expect(await names({ 'spec.labels.env': 'prod', 'spec.mode': 'manage' }, 'field-')).toEqual(['field-a'])
    expect(await names({ 'spec.labels.env': 'prod', attempts: 1 })).toEqual([])
    expect(await names({ 'spec.labels.env': 'prod" OR 1=1 --' })).toEqual([])
  })

  it('gives all of a kind in the order of keys, however many, and narrows them as a list', async () => {
    const { store } = both()
    const labels = { env: 'whole' }
    const names = Array.from({ length: 1010 }, (_, number) => `whole-${String((number * 7) % 1010).padStart(4, '0')}`)
    const spec = { kubeconfig: { context: 'x' }, mode: 'manage', labels } as const
    for (const name of names) await store.create(clusterDocument(name, { spec }))
    const all = await store.all('cluster', { where: { 'spec.labels.env': 'whole' } })
    expect(all.map(({ name }) => name)).toEqual(names.toSorted())
    expect((await store.all('cluster', { prefix: 'whole-100' })).map(({ name }) => name)).toHaveLength(10)
    expect(await store.all('freeze')).toEqual([])
    await store.create(placementDocument('shop/whole', 'east'))
    expect((await store.all('placement', { prefix: 'shop/whole/' })).map(({ cluster }) => cluster)).toEqual(['east'])
  })

  it('gives all in which a list is not empty', async () => {
    const { store } = both()
    await store.create(serviceDocument('filled-none'))
    await store.create(serviceDocument('filled-old', { rollouts: undefined as never }))
    await store.create(serviceDocument('filled-some', { leaving: ['east'] }))
    const found = await store.all('service', { prefix: 'shop/filled-', filled: 'leaving' })
    expect(found.map(({ name }) => name)).toEqual(['filled-some'])
    expect(await store.all('service', { prefix: 'shop/filled-', filled: 'rollouts' })).toEqual([])
  })

  it('refuses a field name that is none', async () => {
    const { store } = both()
    for (const path of ['', 'a..b', 'a"]=1 OR c["b', 'spec.labels.a/b', '1a']) {
      await expect(store.list('cluster', { where: { [path]: 1 } })).rejects.toEqual(fails('invalid'))
    }
  })

  it('lists the placements and ended rollouts of one service, and gives tags that can be used', async () => {
    const { store } = both()
    for (const cluster of ['west', 'east']) await store.create(placementDocument('shop/placed', cluster))
    await store.create(placementDocument('shop/placed-too', 'east'))
    await store.create(rolloutDocument('shop/placed', 'shop.placed.k3'))
    const placements = await store.list('placement', { prefix: 'shop/placed/' })
    expect(placements.value.map(({ value }) => value.cluster)).toEqual(['east', 'west'])
    const rollouts = await store.list('rollout', { prefix: 'shop/placed/' })
    expect(rollouts.value.map(({ value }) => value.rollout.id)).toEqual(['shop.placed.k3'])
    const [first] = placements.value
    if (!first) throw new Error('no placement')
    expect(await store.replace(first, { ...first.value, attempts: 1 })).toMatchObject({ value: { attempts: 1 } })
  })
}

function due(both: Both): void {
  it('finds what is due, the longest waiting first, and nothing else', async () => {
    const { store } = both()
    const at = (day: number) => `2020-01-0${day}T00:00:00.000Z`
    for (const day of [3, 1, 2, 5]) await store.create(clusterDocument(`due-${day}`, { dueAt: at(day) }))
    await store.create(clusterDocument('due-never'))
    const found = await store.due(at(3), 10)
    expect(found).toEqual([1, 2, 3].map((day) => ({ kind: 'cluster', key: `due-${day}` })))
    expect(await store.due(at(3), 1)).toEqual([{ kind: 'cluster', key: 'due-1' }])
  })

  it('finds outboxes that nobody has sent on, once they are old enough', async () => {
    const { store } = both()
    const outbox = [{ id: 'e1', kind: 'event', event: eventRecord('e1') }] as const
    const waiting = await store.create(serviceDocument('waiting', { outbox }))
    const key = { kind: 'service', key: 'shop/waiting' }
    expect(await store.unrelayed('2020-01-01T00:00:00.000Z', 10)).toEqual([])
    expect(await store.unrelayed('2099-01-01T00:00:00.000Z', 10)).toContainEqual({
      ...key,
      writtenMs: expect.any(Number),
    })
    await store.replace(waiting, { ...waiting.value, outbox: [] })
    expect(await store.unrelayed('2099-01-01T00:00:00.000Z', 10)).not.toContainEqual(expect.objectContaining(key))
  })
}

function events(both: Both): void {
  it('gives each event of a subject once, page by page, and goes on behind a cursor', async () => {
    const { store } = both()
    const subject = 'services/shop/told'
    for (const number of [3, 1, 4, 2, 5]) await store.appendEvent(eventRecord(`told-${number}`, subject))
    await store.appendEvent(eventRecord('elsewhere', 'services/shop/else'))
    const ids: string[] = []
    let cursor: string | undefined
    let after: string | undefined
    do {
      const page = await store.events({ subject, limit: 2, ...(after ? { after } : {}) })
      ids.push(...page.value.map(({ id }) => id))
      cursor = page.value.at(-1)?.cursor ?? cursor
      after = page.next
    } while (after !== undefined)
    expect(ids.toSorted()).toEqual(['told-1', 'told-2', 'told-3', 'told-4', 'told-5'])
    // `told-0` sorts before what was read within the same second.
    await store.appendEvent(eventRecord('told-0', subject))
    const later = await store.events({ subject, limit: 10, ...(cursor ? { after: cursor } : {}) })
    expect(later.value.map(({ id }) => id)).toEqual(['told-0'])
    expect(later.next).toBeUndefined()
  })

  it('keeps an event once, whole, whatever its id', async () => {
    const { store } = both()
    const subject = 'rollouts/shop.web.k3'
    const event = { ...eventRecord('rollout/shop.web.k3?step=1#a\\b', subject), data: { weight: 10, text: 'ä' } }
    await store.appendEvent(event)
    await store.appendEvent({ ...event, message: 'again' })
    const { value } = await store.events({ subject, limit: 10 })
    expect(value.map(({ cursor: _, ...rest }) => rest)).toEqual([event])
  })

  it('reads the events of all subjects', async () => {
    const { store } = both()
    for (const number of [1, 2, 3]) await store.appendEvent(eventRecord(`all-${number}`, `clusters/all-${number}`))
    const ids: string[] = []
    let after: string | undefined
    do {
      const page = await store.events({ limit: 3, ...(after ? { after } : {}) })
      ids.push(...page.value.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(['all-1', 'all-2', 'all-3']))
  })

  it('refuses a cursor that is none', async () => {
    await expect(both().store.events({ after: 'nonsense', limit: 1 })).rejects.toEqual(fails('invalid'))
  })
}

function auditRecords(both: Both): void {
  it('are kept once, whole, whatever their id', async () => {
    const { store, other } = both()
    const record = {
      ...auditRecord('service.put:services/shop/audited:1#?', 'services/shop/audited'),
      requestId: 'r1',
      before: { ports: [{ port: 80 }], text: 'ä' },
      after: { ports: [] },
    }
    await store.appendAudit(record)
    await store.appendAudit({ ...record, requestId: 'r2' })
    const { value, next } = await other.audit({ subject: 'services/shop/audited', limit: 10 })
    expect(value.map(({ cursor: _, ...rest }) => rest)).toEqual([record])
    expect(next).toBeUndefined()
  })

  it('are found by who did it and by what was done, page by page', async () => {
    const { store } = both()
    const ada = { kind: 'person', id: 'ada-1', name: 'Ada' } as const
    const bot = { kind: 'application', id: 'bot-1', name: 'Bot' } as const
    for (const number of [1, 2, 3]) {
      const subject = `teams/t${number}`
      await store.appendAudit(auditRecord(`ada-${number}`, subject, { actor: ada, action: 'team.put' }))
      await store.appendAudit(auditRecord(`bot-${number}`, subject, { actor: bot, action: 'team.delete' }))
    }
    const ids = async (query: { actor?: string; action?: string; subject?: string }) => {
      const found: string[] = []
      let after: string | undefined
      do {
        const page = await store.audit({ ...query, limit: 2, ...(after ? { after } : {}) })
        found.push(...page.value.map(({ id }) => id))
        after = page.next
      } while (after !== undefined)
      return found.toSorted()
    }
    expect(await ids({ actor: 'ada-1' })).toEqual(['ada-1', 'ada-2', 'ada-3'])
    expect(await ids({ actor: 'Bot' })).toEqual(['bot-1', 'bot-2', 'bot-3'])
    expect(await ids({ action: 'team.delete', subject: 'teams/t2' })).toEqual(['bot-2'])
    expect(await ids({ actor: 'ada-1', action: 'team.delete' })).toEqual([])
  })

  it('continue behind a cursor, and refuse one that is none', async () => {
    const { store } = both()
    const subject = 'freezes/followed'
    for (const number of [1, 2]) await store.appendAudit(auditRecord(`f-${number}`, subject))
    const first = await store.audit({ subject, limit: 10 })
    await store.appendAudit(auditRecord('f-0', subject))
    const later = await store.audit({ subject, limit: 10, after: first.value.at(-1)?.cursor ?? '' })
    expect(later.value.map(({ id }) => id)).toEqual(['f-0'])
    await expect(store.audit({ after: 'nonsense', limit: 1 })).rejects.toEqual(fails('invalid'))
  })
}
