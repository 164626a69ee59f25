import * as z from 'zod'
import type { Clock } from '../ports/clock.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import type { TokenKeys } from '../ports/token-keys.ts'
import { withDeadline } from './deadline.ts'
import { type Fetch, readBounded } from './http-answer.ts'
import { networkFailure } from './network-failure.ts'

const ENTRA = 'Entra ID'
const fetchDeadlineMs = 5000
const maxAnswerBytes = 1024 * 1024
const freshMs = 3_600_000
/** Old keys are better than none while Entra ID does not answer. */
const staleMs = 24 * 3_600_000
/** A key that is not there leads to one fetch in this time, however many tokens name it. */
const cooldownMs = 30_000

export interface EntraKeysSettings {
  /** As in tokens: `https://login.microsoftonline.com/TENANT/v2.0`. */
  readonly issuer: string
  /** Where the keys are; found by the issuer's OpenID configuration when left out. */
  readonly jwksUri?: string
  readonly fetch: Fetch
}

interface Keys {
  readonly find: TokenKeys
  readonly fetchedAt: number
}

const configuration = z.object({ issuer: z.string(), jwks_uri: z.url() })
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })

/** The issuer's signing keys: fetched at the first token, kept for an hour, fetched anew when a token names a new one. */
export function entraKeys(settings: EntraKeysSettings, clock: Clock): TokenKeys {
  let keys: Keys | undefined
  let lastTry = Number.NEGATIVE_INFINITY
  let fetching: Promise<Keys> | undefined
  const refresh = () => {
    lastTry = clock.now()
    fetching ??= fetchKeys(settings, clock)
      .then((fetched) => {
        keys = fetched
        return fetched
      })
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }
  const current = async (): Promise<Keys> => {
    const ageMs = keys === undefined ? Number.POSITIVE_INFINITY : clock.now() - keys.fetchedAt
    if (keys !== undefined && (ageMs < freshMs || (ageMs < staleMs && clock.now() - lastTry < cooldownMs))) return keys
    try {
      return await refresh()
    } catch (error) {
      if (keys !== undefined && ageMs < staleMs) return keys
      throw error
    }
  }
  return async (header, token) => {
    const known = await current()
    try {
      return await known.find(header, token)
    } catch (error) {
      const { errors } = await import('jose')
      if (!(error instanceof errors.JWKSNoMatchingKey) || clock.now() - lastTry < cooldownMs) throw error
      return (await refresh()).find(header, token)
    }
  }
}

async function fetchKeys(settings: EntraKeysSettings, clock: Clock): Promise<Keys> {
  const { createLocalJWKSet } = await import('jose')
  const found = await getJson(await jwksUri(settings, clock), keySet, settings.fetch, clock)
  return { find: createLocalJWKSet(found), fetchedAt: clock.now() }
}

async function jwksUri(settings: EntraKeysSettings, clock: Clock): Promise<string> {
  if (settings.jwksUri !== undefined) return settings.jwksUri
  const { issuer, fetch } = settings
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const found = await getJson(url, configuration, fetch, clock)
  const sameScheme = new URL(found.jwks_uri).protocol === new URL(issuer).protocol
  if (found.issuer === issuer && sameScheme) return found.jwks_uri
  throw new PortError('unavailable', ENTRA, 'the OpenID configuration is of another issuer', { reason: 'Issuer' })
}

async function getJson<T>(url: string, schema: z.ZodType<T>, fetch: Fetch, clock: Clock): Promise<T> {
  try {
    return await withDeadline(clock, fetchDeadlineMs, ENTRA, async (signal) => {
      const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual', signal })
      const answer = await readBounded(response, maxAnswerBytes, ENTRA)
      if (response.status !== 200) throw unusable(`answered ${response.status}`)
      const parsed = schema.safeParse(parseJson(answer))
      if (!parsed.success) throw unusable('gave an answer of another form')
      return parsed.data
    })
  } catch (error) {
    throw isPortError(error) ? error : networkFailure(ENTRA, error)
  }
}

function unusable(what: string): PortError {
  return new PortError('unavailable', ENTRA, `${ENTRA} ${what} when it was asked for its keys`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
