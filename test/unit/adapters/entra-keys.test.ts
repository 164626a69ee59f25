import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { entraKeys } from '../../../src/adapters/entra-keys.ts'
import type { TokenKeys } from '../../../src/ports/token-keys.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

const issuer = 'https://login.test/tenant/v2.0'
const configurationUrl = `${issuer}/.well-known/openid-configuration`
const jwksUrl = 'https://login.test/tenant/keys'
const minute = 60_000

let clock: VirtualClock
let asked: string[]
let pages: Record<string, () => Response | Promise<Response>>
let keys: TokenKeys
let first: Awaited<ReturnType<typeof signer>>
let second: Awaited<ReturnType<typeof signer>>

async function signer(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).setIssuer(issuer).sign(privateKey)
  return { jwk, token }
}

beforeAll(async () => {
  first = await signer('first')
  second = await signer('second')
})

beforeEach(() => {
  clock = virtualClock()
  asked = []
  pages = {
    [configurationUrl]: () => Response.json({ issuer, jwks_uri: jwksUrl }),
    [jwksUrl]: () => Response.json({ keys: [first.jwk] }),
  }
  keys = make({})
})

function make(more: { jwksUri?: string }): TokenKeys {
  const fetch = async (input: string | URL | Request) => {
    asked.push(String(input))
    return pages[String(input)]?.() ?? new Response('', { status: 404 })
  }
  return entraKeys({ issuer, fetch, ...more }, clock)
}

const check = (token: string) => jwtVerify(token, keys, { issuer, currentDate: new Date(clock.now()) })

describe('the keys of an issuer', () => {
  it('are found by its configuration, once for many tokens', async () => {
    await Promise.all([check(first.token), check(first.token)])
    await check(first.token)
    expect(asked).toEqual([configurationUrl, jwksUrl])
  })

  it('are fetched from where the settings say', async () => {
    keys = make({ jwksUri: jwksUrl })
    await check(first.token)
    expect(asked).toEqual([jwksUrl])
  })

  it('are fetched anew after an hour, and when a token names one that is not there', async () => {
    await check(first.token)
    await clock.pass(minute)
    pages[jwksUrl] = () => Response.json({ keys: [first.jwk, second.jwk] })
    await check(second.token)
    expect(asked).toHaveLength(4)
    await clock.pass(60 * minute)
    await check(second.token)
    expect(asked).toHaveLength(6)
  })

  it('are not fetched for each token with an unknown key', async () => {
    await check(first.token)
    for (let count = 0; count < 5; count += 1) {
      await expect(check(second.token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
    }
    expect(asked).toHaveLength(2)
    await clock.pass(minute)
    for (let count = 0; count < 5; count += 1) await check(second.token).catch(() => {})
    expect(asked).toHaveLength(4)
  })

  it('serve for a day while the issuer does not answer, with a try each half minute', async () => {
    await check(first.token)
    pages = {}
    await clock.pass(61 * minute)
    for (let count = 0; count < 5; count += 1) await check(first.token)
    expect(asked).toHaveLength(3)
    await clock.pass(24 * 60 * minute)
    await expect(check(first.token)).rejects.toMatchObject({ name: 'PortError', kind: 'unavailable' })
  })

  it.each([
    [
      'the configuration of another issuer',
      configurationUrl,
      () => Response.json({ issuer: 'https://evil', jwks_uri: jwksUrl }),
    ],
    ['keys over plain HTTP', configurationUrl, () => Response.json({ issuer, jwks_uri: 'http://login.test/keys' })],
    ['a redirect', jwksUrl, () => new Response(null, { status: 302, headers: { location: 'https://evil/keys' } })],
    ['a page', jwksUrl, () => new Response('<html>')],
    ['no keys', jwksUrl, () => Response.json({ keys: [] })],
    ['no answer', jwksUrl, () => Promise.reject(new TypeError('fetch failed'))],
  ])('are not had from %s', async (_, url, page) => {
    pages[url] = page
    await expect(check(first.token)).rejects.toMatchObject({ name: 'PortError', kind: 'unavailable' })
  })

  it('are not waited for longer than five seconds', async () => {
    pages[configurationUrl] = () => new Promise(() => {})
    const failure = check(first.token).catch((error: unknown) => error)
    await clock.pass(5000)
    expect(await failure).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
  })
})
