import { describe, expect, it } from 'vitest'
import { deleteTeam } from '../../../src/teams/delete-team.ts'
import { putTeam } from '../../../src/teams/put-team.ts'
import { AT, aCertificate, aService, aTeam, by } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

const clock = { now: () => Date.parse(AT), sleep: async () => undefined }

describe('a team', () => {
  it('is put', async () => {
    const store = new MemoryStore()
    const { spec } = aTeam()
    expect(await putTeam({ store, clock }, 'shop', spec, by())).toMatchObject({
      ok: true,
      value: { status: 'created' },
    })
    expect(store.get('team', 'shop')).toMatchObject({ kind: 'team', spec })
  })

  it('cannot go while services belong to it, five of which are named', async () => {
    const store = new MemoryStore()
    store.put(aTeam())
    for (let index = 0; index < 7; index += 1) store.put(aService({ name: `web-${index}` }))
    const refused = await deleteTeam({ store, clock }, 'shop', by())
    expect(refused).toMatchObject({ ok: false, failure: { code: 'InUse' } })
    expect(refused.ok ? '' : refused.failure.detail).toBe(
      'Services belong to team shop: shop/web-0, shop/web-1, shop/web-2, shop/web-3, shop/web-4.',
    )
  })

  it('cannot go while a certificate serves its hosts', async () => {
    const store = new MemoryStore()
    store.put(aTeam())
    const certificate = aCertificate()
    store.put({ ...certificate, spec: { ...certificate.spec, team: 'shop' } })
    const refused = await deleteTeam({ store, clock }, 'shop', by())
    expect(refused).toMatchObject({ ok: false, failure: { code: 'InUse' } })
    expect(refused.ok ? '' : refused.failure.detail).toBe(`Certificates belong to team shop: ${certificate.name}.`)
  })

  it('goes when none does', async () => {
    const store = new MemoryStore()
    store.put(aTeam())
    store.put(aTeam({}, 'bank'))
    store.put(aService())
    expect(await deleteTeam({ store, clock }, 'bank', by())).toEqual({ ok: true, value: undefined })
    expect(store.peek('team', 'bank')).toBeUndefined()
  })
})
