import { beforeEach, describe, expect, it } from 'vitest'
import { entityTag } from '../../../src/model/digest.ts'
import { succeed } from '../../../src/model/failure.ts'
import { changeDocument } from '../../../src/ports/change-document.ts'
import { deleteDocument } from '../../../src/ports/delete-document.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { checkPreconditions } from '../../../src/ports/put-document.ts'
import { putPlainDocument } from '../../../src/ports/put-plain-document.ts'
import { AT, aTeam, by } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

let store: MemoryStore
beforeEach(() => {
  store = new MemoryStore()
})

describe('a change of a document', () => {
  const count = (limit = Number.POSITIVE_INFINITY) => {
    let races = 0
    store.beforeWrite = () => {
      races += 1
      if (races <= limit) store.change('team', 'shop', (team) => ({ ...team, generation: team.generation + 1 }))
    }
  }
  const rename = () =>
    changeDocument(store, 'team', 'shop', (stored) =>
      stored
        ? succeed({ kind: 'write', document: { ...stored.value, updatedAt: 'now' }, value: stored.value.generation })
        : succeed({ kind: 'write', document: aTeam(), value: 0 }),
    )

  it('is decided on what is stored, and written once', async () => {
    store.put(aTeam())
    expect(await rename()).toMatchObject({
      ok: true,
      value: { value: 1, written: true, stored: { value: { updatedAt: 'now' } } },
    })
    expect(store.writes).toBe(1)
  })

  it('is decided anew on what another writer left', async () => {
    store.put(aTeam())
    count(3)
    expect(await rename()).toMatchObject({ ok: true, value: { value: 4 } })
    expect(store.get('team', 'shop')).toMatchObject({ generation: 4, updatedAt: 'now' })
  })

  it('is given up after eight lost races', async () => {
    store.put(aTeam())
    count()
    expect(await rename()).toMatchObject({ ok: false, failure: { code: 'WriteConflict', retryAfterMs: 1000 } })
    expect(store.get('team', 'shop').generation).toBe(9)
  })

  it('that finds nothing creates; when another was first it changes that', async () => {
    store.beforeWrite = (change) => {
      if (change === 'create') store.put(aTeam({ namespaces: ['first'] }))
    }
    expect(await rename()).toMatchObject({ ok: true, value: { value: 1 } })
    expect(store.get('team', 'shop').spec.namespaces).toEqual(['first'])
  })

  it('may leave all as it is, or remove it', async () => {
    store.put(aTeam())
    const leave = await changeDocument(store, 'team', 'shop', () => succeed({ kind: 'leave', value: 'left' }))
    expect(leave).toMatchObject({ value: { value: 'left', written: false, stored: { value: { name: 'shop' } } } })
    const remove = await changeDocument(store, 'team', 'shop', () => succeed({ kind: 'remove', value: 'gone' }))
    expect(remove).toMatchObject({ value: { written: true } })
    expect(remove.ok && remove.value.stored).toBeUndefined()
    expect(store.peek('team', 'shop')).toBeUndefined()
    const nothing = await changeDocument(store, 'team', 'shop', () => succeed({ kind: 'remove', value: 'gone' }))
    expect(nothing).toMatchObject({ value: { written: false } })
  })

  it('that fails writes nothing', async () => {
    store.put(aTeam())
    const failure = { ok: false as const, failure: { code: 'Conflict' as const, detail: 'no' } }
    expect(await changeDocument(store, 'team', 'shop', () => failure)).toBe(failure)
    expect(store.writes).toBe(0)
  })

  it('throws what no other try can mend', async () => {
    store.put(aTeam())
    store.beforeWrite = () => {
      throw new PortError('unavailable', 'Cosmos DB', 'no answer')
    }
    await expect(rename()).rejects.toThrow('no answer')
  })
})

describe('preconditions', () => {
  const spec = { a: 1 }
  const tag = entityTag('key', spec)
  it.each([
    ['nothing asked, nothing there', undefined, {}, undefined],
    ['nothing asked', spec, {}, undefined],
    ['create only, nothing there', undefined, { createOnly: true }, undefined],
    ['create only, but it is there', spec, { createOnly: true }, 'header/if-none-match'],
    ['the tag it has', spec, { ifMatch: [tag] }, undefined],
    ['one of several tags', spec, { ifMatch: ['"x"', tag] }, undefined],
    ['any, and it is there', spec, { ifMatch: ['*'] }, undefined],
    ['any, but nothing is there', undefined, { ifMatch: ['*'] }, 'header/if-match'],
    ['another tag', spec, { ifMatch: ['"x"'] }, 'header/if-match'],
    ['a tag, but nothing is there', undefined, { ifMatch: [tag] }, 'header/if-match'],
    ['the tag of another document with that spec', spec, { ifMatch: [entityTag('other', spec)] }, 'header/if-match'],
  ])('%s', (_, stored, context, pointer) => {
    const failure = checkPreconditions('key', stored, by(context))
    expect(failure?.code).toBe(pointer && 'PreconditionFailed')
    expect(failure?.errors?.[0]?.pointer).toBe(pointer)
  })
})

describe('a plain document', () => {
  const clock = { now: () => Date.parse(AT), sleep: async () => undefined }
  const put = (namespaces: string[], context = by()) =>
    putPlainDocument({ store, clock }, 'team', 'shop', { namespaces, groups: [] }, context)

  it('is created, changed, and left alone when it is the same', async () => {
    expect(await put(['a'])).toMatchObject({ value: { status: 'created', document: { generation: 1, createdAt: AT } } })
    expect(await put(['b'])).toMatchObject({ value: { status: 'updated', document: { generation: 2 } } })
    expect(await put(['b'])).toMatchObject({ value: { status: 'unchanged', document: { generation: 2 } } })
    expect(store.writes).toBe(2)
  })

  it('remembers keys through its changes', async () => {
    const key = by({ idempotency: { id: 'k', body: 'b' } })
    await put(['a'], key)
    await put(['b'])
    expect(await put(['a'], key)).toMatchObject({
      value: { status: 'created', document: { spec: { namespaces: ['b'] } } },
    })
    expect(await put(['c'], by({ idempotency: { id: 'k', body: 'other' } }))).toMatchObject({
      failure: { code: 'IdempotencyMismatch' },
    })
  })

  it('keeps what newer code stored beside, and its outbox', async () => {
    store.put({ ...aTeam(), shape: 'new', outbox: [{ id: 'x', kind: 'archive', key: 'x', value: 1 }] } as never)
    await put(['b'])
    expect(store.get('team', 'shop')).toMatchObject({ shape: 'new', outbox: [{ id: 'x' }, { kind: 'audit' }] })
  })

  it('is removed under its tag, unless something stands in the way', async () => {
    store.put(aTeam())
    expect(await deleteDocument({ store, clock }, 'team', 'shop', by({ ifMatch: ['"old"'] }))).toMatchObject({
      failure: { code: 'PreconditionFailed' },
    })
    const refused = await deleteDocument({ store, clock }, 'team', 'shop', by(), async () => ({
      code: 'InUse',
      detail: 'x',
    }))
    expect(refused).toMatchObject({ ok: false, failure: { code: 'InUse' } })
    expect(await deleteDocument({ store, clock }, 'team', 'shop', by())).toEqual({ ok: true, value: undefined })
    expect(await deleteDocument({ store, clock }, 'team', 'shop', by())).toMatchObject({
      failure: { code: 'NotFound' },
    })
  })
})
