import { describe, expect, it } from 'vitest'
import { createWorld, shopWorld } from './fixture.ts'
import { SERVICE } from './refusals.ts'

describe('paths and methods', () => {
  it.each([
    '/api/v1',
    '/api/v1/',
    '/api/v1/nothing',
    '/api/v2/clusters',
    '/api/v1/clusters/',
    '/api/v1/services//web',
    '//',
    '/..',
  ])('%s is 404 problem+json', async (path) => {
    const answer = await createWorld().call('GET', path, { token: null })
    expect(answer).toMatchObject({ status: 404, json: { code: 'NotFound' } })
  })

  it('names the methods that a path takes', async () => {
    const answer = await createWorld().call('POST', '/api/v1/clusters/east')
    expect(answer).toMatchObject({ status: 405, json: { code: 'MethodNotAllowed' } })
    expect(answer.headers.allow).toBe('GET, PUT, PATCH, DELETE, HEAD, OPTIONS')
  })

  it('answers OPTIONS with the methods and lets no other origin in', async () => {
    const answer = await createWorld().call('OPTIONS', '/api/v1/clusters', {
      headers: { origin: 'https://evil.example' },
    })
    expect(answer).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } })
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('answers HEAD as GET without a body', async () => {
    const world = shopWorld()
    const get = await world.call('GET', SERVICE)
    const head = await world.call('HEAD', SERVICE)
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.headers.etag).toBe(get.headers.etag)
  })

  it('keeps other sites from framing, sniffing and caching, and names no host in errors', async () => {
    const { headers } = await shopWorld().call('GET', SERVICE)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'strict-transport-security': 'max-age=31536000',
      'referrer-policy': 'no-referrer',
    })
  })
})
