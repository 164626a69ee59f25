import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FunctionsHost, startHost } from '../../../src/sandbox/host/start-host.ts'
import { headerValues, rawRequest } from './raw-http.ts'

let host: FunctionsHost

beforeAll(async () => {
  host = await startHost({
    load: 'fixtures/functions-whole/*.ts',
    appDirectory: import.meta.dirname,
    hostJson: { version: '2.0' },
    port: 0,
    log: () => {},
  })
})

afterAll(() => host.stop())

describe('the host without HTTP streaming', () => {
  test('routes are under /api when host.json says nothing', async () => {
    expect((await fetch(`${host.url}/echo/x`)).status).toBe(404)
    expect((await fetch(`${host.url}/api/echo/x`)).status).toBe(200)
  })

  test('a body of 2 MiB arrives whole and goes back whole', async () => {
    const body = randomBytes(2 ** 21)
    const answer = await rawRequest(
      `${host.url}/api/echo/big?q=a%26b`,
      { method: 'POST', headers: { 'content-length': body.length } },
      body,
    )
    expect(answer.status).toBe(201)
    expect(answer.body.equals(body)).toBe(true)
    expect(headerValues(answer, 'x-name')).toEqual(['big'])
    expect(headerValues(answer, 'x-query')).toEqual(['a&b'])
  })

  test('a chunked body is lost, as in Azure', async () => {
    const options = { method: 'POST', headers: { 'transfer-encoding': 'chunked' } }
    const answer = await rawRequest(`${host.url}/api/echo/x`, options, Buffer.from('abc'))
    expect([answer.status, answer.body.length]).toEqual([201, 0])
  })

  test('cookies are lines of their own', async () => {
    const answer = await rawRequest(`${host.url}/api/echo/x`, { method: 'HEAD' })
    expect(headerValues(answer, 'set-cookie')).toEqual([
      'a=1; Max-Age=60; SameSite=Lax',
      'b=2; Path=/; Secure; HttpOnly',
    ])
    expect(answer.body.length).toBe(0)
  })

  test('an answer of nothing is 204, an error 500', async () => {
    expect((await fetch(`${host.url}/api/nothing`)).status).toBe(204)
    expect((await fetch(`${host.url}/api/fails`)).status).toBe(500)
  })
})
