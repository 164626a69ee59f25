import { ChangeFeedStartFrom } from '@azure/cosmos'
import { describe, expect, it } from 'vitest'
import { at, make, open, raw } from './opened.ts'

describe('the change feed', () => {
  const feed = async (range: string, etag?: string, more: Record<string, string> = {}) => {
    const headers = { 'a-im': 'Incremental feed', 'x-ms-documentdb-partitionkeyrangeid': range, ...more }
    const answer = await raw('/dbs/db/colls/state/docs', etag ? { ...headers, 'if-none-match': etag } : headers)
    const documents = answer.status === 200 ? JSON.parse(String(answer.body)).Documents : []
    const changes = documents.map(({ id, n, _lsn }: Record<string, unknown>) => [id, n, _lsn])
    return { status: answer.status, etag: answer.headers.etag ?? '', changes }
  }

  it('gives the latest version of each changed document in the order of change, then 304', async () => {
    for (const id of ['a', 'b', 'c']) await at.container.items.create({ id, pk: id, n: 1 })
    await at.container.item('a', 'a').replace({ id: 'a', pk: 'a', n: 2 })
    await at.container.item('b', 'b').delete()
    const first = await feed('0')
    expect(first).toEqual({
      status: 200,
      etag: '"5"',
      changes: [
        ['c', 1, 3],
        ['a', 2, 4],
      ],
    })
    expect(await feed('0', first.etag)).toEqual({ status: 304, etag: '"5"', changes: [] })
    await at.container.items.create({ id: 'd', pk: 'd', n: 1 })
    expect(await feed('0', first.etag)).toEqual({ status: 200, etag: '"6"', changes: [['d', 1, 6]] })
  })

  it('starts now, at a time, or at the beginning, and pages', async () => {
    for (const id of ['a', 'b']) await at.container.items.create({ id, pk: id })
    const now = await feed('0', '*')
    expect(now).toMatchObject({ status: 304, etag: '"2"' })
    at.clock += 5_000
    await at.container.items.create({ id: 'c', pk: 'c' })
    expect((await feed('0', now.etag)).changes).toEqual([['c', undefined, 3]])
    const since = { 'if-modified-since': new Date(at.clock).toUTCString() }
    expect((await feed('0', undefined, since)).changes).toEqual([['c', undefined, 3]])
    const page = await feed('0', undefined, { 'x-ms-max-item-count': '2' })
    expect(page).toMatchObject({
      etag: '"2"',
      changes: [
        ['a', undefined, 1],
        ['b', undefined, 2],
      ],
    })
    expect((await feed('0', page.etag)).changes).toEqual([['c', undefined, 3]])
  })

  it('serves the SDK, over several ranges', async () => {
    const wide = await open(make(3), 'wide')
    for (let n = 0; n < 9; n++) await wide.items.create({ id: `d${n}`, pk: `p${n}` })
    const changeFeedStartFrom = ChangeFeedStartFrom.Beginning()
    const seen: string[] = []
    let continuation = ''
    for await (const page of wide.items
      .getChangeFeedIterator({ changeFeedStartFrom, maxItemCount: 2 })
      .getAsyncIterator()) {
      continuation = page.continuationToken
      if (page.statusCode === 304) break
      seen.push(...page.result.map(({ id }: { id: string }) => id))
    }
    expect(seen.sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7', 'd8'])
    await wide.items.create({ id: 'late', pk: 'p' })
    const later = wide.items.getChangeFeedIterator({
      changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuation),
    })
    expect((await later.readNext()).result.map(({ id }: { id: string }) => id)).toEqual(['late'])
  })

  it('of one partition key has only that', async () => {
    for (const pk of ['p', 'q']) await at.container.items.create({ id: 'a', pk })
    const changeFeedStartFrom = ChangeFeedStartFrom.Beginning('q')
    const page = await at.container.items.getChangeFeedIterator({ changeFeedStartFrom }).readNext()
    expect(page.result).toMatchObject([{ id: 'a', pk: 'q', _lsn: 2 }])
  })

  it('is not emulated with all versions, nor without a range', async () => {
    expect((await feed('0', undefined, { 'a-im': 'Full-Fidelity Feed' })).status).toBe(501)
    expect((await raw('/dbs/db/colls/state/docs', { 'a-im': 'Incremental feed' })).status).toBe(400)
    expect((await feed('0', 'nonsense')).status).toBe(400)
  })
})
