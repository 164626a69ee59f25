import type { JWTPayload } from 'jose'
import { type Caller, ROLES, type Role } from '../model/identity.ts'
import { isPortError } from '../ports/port-error.ts'
import type { HttpDeps } from './http-deps.ts'

/** Clocks of Entra ID and of this host may differ by this. */
const LEEWAY_S = 60
/** Entra tokens have a few KB; more is not looked at. */
const MOST_TOKEN_CHARACTERS = 16_384

export type Authentication =
  | {
      readonly ok: true
      readonly caller: Caller
      /** The person has more groups than a token holds: the token names none. */
      readonly groupsLeftOut: boolean
    }
  /** `why` is for the log; the caller learns nothing of it. `challenge` is the header WWW-Authenticate. */
  | { readonly ok: false; readonly why: string; readonly challenge: string }

/**
 * Who asks: checks an Entra ID access token (v1 or v2) for signature, issuer, audience, times and tenant. Throws PortError
 * `unavailable` when the issuer's keys cannot be had.
 */
export async function authenticate(deps: HttpDeps, authorization: string | undefined): Promise<Authentication> {
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(authorization ?? '')?.[1]
  if (authorization === undefined) return { ok: false, why: 'no token', challenge: 'Bearer realm="meshwright"' }
  if (token === undefined || token.length > MOST_TOKEN_CHARACTERS) return refuse('no JSON web token')
  const { jwtVerify, errors } = await import('jose')
  try {
    const { payload } = await jwtVerify(token, deps.tokenKeys, {
      algorithms: ['RS256', 'ES256'],
      issuer: [...deps.auth.issuers],
      audience: [...deps.auth.audiences],
      clockTolerance: LEEWAY_S,
      currentDate: new Date(deps.clock.now()),
      requiredClaims: ['iss', 'aud', 'exp', 'tid', 'oid'],
    })
    if (payload.tid !== deps.auth.tenantId) return refuse('another tenant')
    const caller = callerOf(payload)
    return caller ? { ok: true, caller, groupsLeftOut: hasGroupsElsewhere(payload) } : refuse('no object id')
  } catch (error) {
    if (isPortError(error) || !(error instanceof errors.JOSEError)) throw error
    return refuse(`${error.code}: ${error.message}`)
  }
}

function refuse(why: string): Authentication {
  return { ok: false, why, challenge: 'Bearer realm="meshwright", error="invalid_token"' }
}

function callerOf(claims: JWTPayload): Caller | undefined {
  const id = text(claims.oid)
  if (id === undefined) return undefined
  const appId = text(claims.azp) ?? text(claims.appid)
  return {
    id,
    name: nameOf(claims) ?? appId ?? id,
    kind: isApplication(claims) ? 'application' : 'person',
    roles: texts(claims.roles).filter((role): role is Role => (ROLES as readonly string[]).includes(role)),
    groups: texts(claims.groups),
    ...(appId === undefined ? {} : { appId }),
  }
}

/** `idtyp` is an optional claim; without it, only tokens that an application got for itself have its own id as subject. */
function isApplication(claims: JWTPayload): boolean {
  if (claims.idtyp !== undefined) return claims.idtyp === 'app'
  return claims.oid === claims.sub
}

function nameOf(claims: JWTPayload): string | undefined {
  const { name, preferred_username, upn, unique_name, app_displayname } = claims
  return [name, preferred_username, upn, unique_name, app_displayname].map(text).find((found) => found !== undefined)
}

/** Entra leaves out the groups of who is in more than 200 and tells where they could be asked for. */
function hasGroupsElsewhere(claims: JWTPayload): boolean {
  const elsewhere = claims._claim_names
  const overage = typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, 'groups')
  return overage || claims.hasgroups === true || claims.hasgroups === 'true'
}

/** A claim as one line of text without control characters, 200 characters at most. */
function text(claim: unknown): string | undefined {
  if (typeof claim !== 'string') return undefined
  const clean = claim.replaceAll(/\p{C}/gu, '').trim().slice(0, 200)
  return clean === '' ? undefined : clean
}

function texts(claim: unknown): readonly string[] {
  return Array.isArray(claim) ? claim.filter((item) => typeof item === 'string') : []
}
