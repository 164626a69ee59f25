import { describe, expect, test } from 'vitest'
import type { EmulatorRequest, EmulatorResponse } from '../../../../src/sandbox/emulators/emulator.ts'
import { changeFeedSourceOver, type FeedPosition } from '../../../../src/sandbox/host/change-feed-source.ts'

const state = { database: 'app', container: 'state' }
const leases = { database: 'app', container: 'leases' }

function scripted(...answers: Partial<EmulatorResponse>[]) {
  const asked: EmulatorRequest[] = []
  const source = changeFeedSourceOver('http://cosmos.test/', async (request) => {
    asked.push(request)
    const answer = answers.shift()
    if (!answer) throw new Error('no more answers')
    return { status: 200, headers: {}, body: '', ...answer }
  })
  return { source, asked }
}

describe('the change feed protocol', () => {
  test.each([
    ['now', { from: 'now' }, { 'if-none-match': '*' }],
    ['the beginning', { from: 'beginning' }, {}],
    ['a time', { from: 'time', timeMs: 0 }, { 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['a continuation', { after: '"7"' }, { 'if-none-match': '"7"' }],
  ] as [string, FeedPosition, object][])('reads a range from %s', async (_reason, position, expected) => {
    const { source, asked } = scripted({ headers: { etag: '"9"' }, body: '{"Documents":[{"id":"a"}]}' })
    expect(await source.read(state, { id: '3' }, position, 10)).toEqual({
      documents: [{ id: 'a' }],
      continuation: '"9"',
    })
    const { 'if-none-match': match, 'if-modified-since': since, ...rest } = asked[0]?.headers ?? {}
    expect({ ...(match ? { 'if-none-match': match } : {}), ...(since ? { 'if-modified-since': since } : {}) }).toEqual(
      expected,
    )
    expect(rest).toMatchObject({
      'a-im': 'Incremental feed',
      'x-ms-documentdb-partitionkeyrangeid': '3',
      'x-ms-max-item-count': '10',
    })
    expect(asked[0]?.url.href).toBe('http://cosmos.test/dbs/app/colls/state/docs')
  })

  test('nothing new is an empty page, which may still move on', async () => {
    const { source } = scripted({ status: 304, headers: { etag: '"9"' } }, { status: 304 })
    expect(await source.read(state, { id: '0' }, { after: '"7"' }, -1)).toEqual({ documents: [], continuation: '"9"' })
    expect(await source.read(state, { id: '0' }, { after: '"7"' }, -1)).toEqual({ documents: [], continuation: '"7"' })
  })

  test('any other answer is an error that names the container', async () => {
    const { source } = scripted({ status: 410, body: 'Gone' })
    await expect(source.read(state, { id: '0' }, { from: 'now' }, 1)).rejects.toThrow('Change feed of state: 410 Gone')
  })

  test('a lease is created once and then replaced by its etag', async () => {
    const { source, asked } = scripted({ status: 201, body: '{"_etag":"e1"}' }, { body: '{"_etag":"e2"}' })
    const first = await source.saveLease(leases, { id: 'l..0', rangeId: '0', continuation: '1', etag: undefined })
    expect(first?.etag).toBe('e1')
    const second = first && (await source.saveLease(leases, { ...first, continuation: '2' }))
    expect(second?.etag).toBe('e2')
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      'POST /dbs/app/colls/leases/docs',
      'PUT /dbs/app/colls/leases/docs/l..0',
    ])
    expect(asked[1]?.headers).toMatchObject({ 'if-match': 'e1', 'x-ms-documentdb-partitionkey': '["l..0"]' })
  })

  test.each([404, 409, 412])('a lease that someone else wrote (%i) is not saved', async (status) => {
    const { source } = scripted({ status })
    expect(await source.saveLease(leases, { id: 'l', rangeId: '0', continuation: '1', etag: 'e' })).toBeUndefined()
  })

  test('there may be no lease yet, and the container may exist already', async () => {
    const { source } = scripted({ status: 404 }, { status: 409 })
    expect(await source.loadLease(leases, 'l')).toBeUndefined()
    await expect(source.createLeases(leases)).resolves.toBeUndefined()
  })
})
