import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LogLine } from '../../../src/sandbox/host/host-log.ts'
import { type FunctionsHost, startHost } from '../../../src/sandbox/host/start-host.ts'
import { seen } from './fixtures/seen.ts'
import { headerValues, rawRequest } from './raw-http.ts'

let host: FunctionsHost
const lines: LogLine[] = []

beforeAll(async () => {
  host = await startHost({
    load: () => import('./fixtures/functions/http.ts'),
    appDirectory: import.meta.dirname,
    hostJson: JSON.parse(readFileSync('host.json', 'utf8')),
    port: 0,
    log: (line) => lines.push(line),
    graceMs: 2000,
  })
})

afterAll(() => host.stop())

interface Described {
  readonly function: string
  readonly url: string
  readonly params: Record<string, string>
  readonly query: [string, string][]
  readonly headers: Record<string, string>
  readonly bodyBytes: number
  readonly bodySha256: string
  readonly traceParent: string
}

async function describeCall(path: string, init?: RequestInit): Promise<Described> {
  const response = await fetch(`${host.url}${path}`, init)
  expect(response.status).toBe(200)
  return (await response.json()) as Described
}

describe('the host with HTTP streaming', () => {
  test('brings route parameters, query and method to the handler', async () => {
    const got = await describeCall('/items/a%20b?x=1&x=2', { method: 'DELETE' })
    expect(got).toMatchObject({ function: 'item', method: 'DELETE', params: { id: 'a b' } })
    expect(got.query).toEqual([
      ['x', '1'],
      ['x', '2'],
    ])
    expect(got.url).toBe(`${host.url}/items/a%20b?x=1&x=2`)
  })

  test('a catch-all with the last name takes what no other wants, the root too', async () => {
    expect((await describeCall('/')).function).toBe('zAnything')
    expect((await describeCall('/items/a/not1alpha', { method: 'POST' })).function).toBe('zAnything')
    expect((await describeCall('/items/a/rotate', { method: 'POST' })).function).toBe('itemVerb')
    expect((await describeCall('/a/b/c')).params).toEqual({ path: 'a/b/c' })
  })

  test('no function for the method is 404', async () => {
    expect((await fetch(`${host.url}/anything`, { method: 'PATCH' })).status).toBe(404)
  })

  test.each([
    ['with its length told', 3_000_000, false],
    ['in chunks', 3_000_000, true],
    ['of one byte', 1, false],
  ])('a body %s arrives whole and goes back whole', async (_reason, size, chunked) => {
    const body = randomBytes(size)
    const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(size) }
    const answer = await rawRequest(`${host.url}/bytes`, { method: 'POST', headers }, body)
    expect(answer.status).toBe(200)
    expect(createHash('sha256').update(answer.body).digest('hex')).toBe(createHash('sha256').update(body).digest('hex'))
  })

  test('a DELETE may have a body', async () => {
    expect((await describeCall('/items/a', { method: 'DELETE', body: 'abc' })).bodyBytes).toBe(3)
  })

  test('HEAD has headers and no body', async () => {
    const answer = await rawRequest(`${host.url}/x`, { method: 'HEAD' })
    expect(answer.status).toBe(200)
    expect(headerValues(answer, 'x-function')).toEqual(['zAnything'])
    expect(answer.body.length).toBe(0)
  })

  test('headers that come twice reach the handler joined, two cookies go out as two lines', async () => {
    const sent = [
      'host',
      'a.test',
      'accept',
      'text/a',
      'accept',
      'text/b',
      'x-y',
      '1',
      'X-Y',
      '2',
      'cookie',
      'a=1',
      'cookie',
      'b=2',
    ]
    const got = JSON.parse((await rawRequest(`${host.url}/x`, { headers: sent as never })).body.toString()) as Described
    expect(got.headers).toMatchObject({ accept: 'text/a,text/b', 'x-y': '1,2', cookie: 'a=1; b=2' })
    expect(got.url).toBe('http://a.test/x')
    const answer = await rawRequest(`${host.url}/cookies`, {})
    expect(headerValues(answer, 'set-cookie')).toEqual(['a=1; Path=/', 'b=2; HttpOnly'])
    expect(headerValues(answer, 'vary')).toEqual(['accept, origin'])
  })

  test('a caller cannot choose the invocation id or the host it is told', async () => {
    const headers = { 'x-ms-invocation-id': 'mine', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }
    const got = await describeCall('/x', { headers })
    expect(got.url).toBe(`${host.url}/x`)
  })

  test('continues the trace of the caller', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const got = await describeCall('/x', { headers: { traceparent } })
    expect(got.traceParent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    expect(got.traceParent).not.toBe(traceparent)
  })

  test('as in Azure, query and body members mix with the params, and `headers` among them hides the headers', async () => {
    expect((await describeCall('/items/a?ID=b&more=c')).params).toEqual({ ID: 'a', more: 'c' })
    const body = JSON.stringify({ title: 't', count: 2, nested: {}, headers: 'x' })
    const init = { method: 'PUT', body, headers: { authorization: 'Bearer x' } }
    const got = await describeCall('/items/a', init)
    expect(got.params).toEqual({ id: 'a', title: 't', count: '2', headers: 'x' })
    expect(got.headers).toEqual({})
  })

  test('a handler that throws, or answers nothing, is a bare 500 and a line in the log', async () => {
    for (const path of ['/fails', '/nothing']) {
      const response = await fetch(`${host.url}${path}`)
      expect([response.status, await response.text()]).toEqual([500, ''])
    }
    const errors = lines.filter(({ level }) => level === 'error').map(({ functionName }) => functionName)
    expect(errors).toEqual(expect.arrayContaining(['fails', 'nothing']))
  })

  test('an answer that breaks on its way does not look complete', async () => {
    const read = rawRequest(`${host.url}/breaks`, {}).then(({ status, body }) => `${status} ${body.toString()}`)
    await expect(read.catch(() => 'broken')).resolves.not.toMatch(/^200/)
  })

  test("the app's own log lines carry function and invocation", async () => {
    const got = await describeCall('/items/logged')
    const line = lines.find(({ category, message }) => category === 'user' && message === 'described GET')
    expect(line).toMatchObject({ level: 'information' })
    expect(got).toHaveProperty('invocationId')
  })

  test('server-sent events come as they are sent, and the stream is cancelled when the client leaves', async () => {
    const leave = new AbortController()
    const response = await fetch(`${host.url}/stream`, { signal: leave.signal })
    const reader = response.body?.getReader()
    // The stream has no end: what arrives has been sent on at once. On a busy machine two events may come in one piece.
    let text = ''
    while (!text.includes('data: 2\n\n')) text += new TextDecoder().decode((await reader?.read())?.value)
    expect(text).toMatch(/^data: 1\n\ndata: 2\n\n/)
    leave.abort()
    await vi.waitFor(() => expect(seen()).toContainEqual({ name: 'stream', value: 'client gone' }), 5000)
  })

  test('both directions stream at the same time', async () => {
    let send: (text: string | undefined) => void = () => {}
    const body = new ReadableStream({
      start(controller) {
        send = (text) => (text === undefined ? controller.close() : controller.enqueue(new TextEncoder().encode(text)))
      },
    })
    send('one ')
    const response = await fetch(`${host.url}/upper`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    const reader = response.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('ONE ')
    send('two')
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('TWO')
    send(undefined)
    expect((await reader?.read())?.done).toBe(true)
  })

  test('a client that leaves during its upload leaves nothing running', async () => {
    const leave = new AbortController()
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('half')) })
    const init = { method: 'POST', body, duplex: 'half', signal: leave.signal } as RequestInit
    const before = lines.length
    const response = await fetch(`${host.url}/upper`, init)
    await response.body?.getReader().read()
    leave.abort()
    const ended = (): boolean => lines.slice(before).some(({ functionName }) => functionName === 'upper')
    await vi.waitFor(() => expect(ended()).toBe(true), 5000)
  })

  test('many requests at once do not mix', async () => {
    const calls = Array.from({ length: 200 }, async (_, index) => (await describeCall(`/items/n${index}`)).params.id)
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 200 }, (_, index) => `n${index}`))
  })
})
