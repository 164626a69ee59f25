import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { type Emulator, type EmulatorContext, jsonResponse } from '../emulator.ts'
import { managedIdentityEndpoint } from './managed-identity-endpoint.ts'
import { openSigningKey } from './signing-key.ts'

/** An Entra tenant as the product sees it: an issuer with keys, tokens for people and for the app's own identity. */
export interface EntraEmulator {
  readonly handle: Emulator
  /** An access token of the tenant, signed RS256. `claims` go over the usual ones. */
  issueToken(subject: TokenSubject, claims?: Readonly<Record<string, unknown>>): Promise<string>
  /**
   * A token of the app's managed identity for a service, such as `https://vault.azure.net`. Good for a day, as Azure's
   * are, or for `lifetimeS` seconds.
   */
  issueServiceToken(audience: string, lifetimeS?: number): Promise<string>
  /** Whether a token is of this tenant, for that audience (a slash at the end is none) and not over. */
  checkToken(token: string, audience: string): Promise<boolean>
}

/** A managed identity, and the secret that its endpoint wants in the header `X-IDENTITY-HEADER`. */
export interface ServiceIdentity {
  readonly clientId: string
  readonly objectId: string
  readonly header: string
}

export interface TokenSubject {
  readonly oid: string
  readonly name: string
  readonly roles: readonly string[]
  readonly groups?: readonly string[]
}

export interface EntraOptions {
  readonly tenantId: string
  /** `iss` of the tokens. */
  readonly issuer: string
  readonly audience: string
  /** Seconds that a token is good for. */
  readonly lifetimeS: number
  /** Whose tokens the managed-identity endpoint gives out; without it, the endpoint is not there. */
  readonly identity?: ServiceIdentity
}

const SERVICE_LIFETIME_S = 24 * 3600

/**
 * Opens a tenant; its signing key is made once and kept, so that tokens outlive a restart. Besides the tenant's metadata
 * and keys it serves the identity endpoint of an App Service, at `/msi/token`.
 */
export async function entraEmulator(context: EmulatorContext, options: EntraOptions): Promise<EntraEmulator> {
  const { tenantId, issuer, audience, lifetimeS, identity } = options
  const keys = await openSigningKey(context.storage.table('entra'))
  const sign = (claims: JWTPayload, good: { issuer: string; audience: string; lifetimeS: number }): Promise<string> => {
    const issuedAt = Math.floor(context.now() / 1000)
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keys.jwk.kid ?? '' })
      .setIssuer(good.issuer)
      .setAudience(good.audience)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + good.lifetimeS)
      .sign(keys.privateKey)
  }
  const issueServiceToken = (resource: string, lifetime = SERVICE_LIFETIME_S): Promise<string> =>
    sign(serviceClaims(tenantId, identity), {
      issuer: `https://sts.windows.net/${tenantId}/`,
      audience: resource,
      lifetimeS: lifetime,
    })
  const giveToken = identity && managedIdentityEndpoint(context, identity, issueServiceToken, SERVICE_LIFETIME_S)
  return {
    async handle(request) {
      const { pathname } = request.url
      if (pathname.endsWith('/.well-known/openid-configuration')) {
        const jwksUri = new URL('/discovery/v2.0/keys', request.url).href
        return jsonResponse(200, { issuer, jwks_uri: jwksUri })
      }
      if (pathname.endsWith('/discovery/v2.0/keys')) return jsonResponse(200, { keys: [keys.jwk] })
      if (pathname === '/msi/token' && giveToken) return giveToken(request)
      return jsonResponse(404, { error: 'not_found' })
    },
    issueToken: (subject, claims = {}) =>
      sign({ ...personClaims(tenantId, subject), ...claims }, { issuer, audience, lifetimeS }),
    issueServiceToken,
    async checkToken(token, wanted) {
      const bare = wanted.replace(/\/$/, '')
      const currentDate = new Date(context.now())
      return jwtVerify(token, keys.publicKey, {
        audience: [bare, `${bare}/`],
        currentDate,
        algorithms: ['RS256'],
      }).then(
        ({ payload }) => payload.tid === tenantId,
        () => false,
      )
    },
  }
}

function personClaims(tid: string, { oid, name, roles, groups = [] }: TokenSubject): JWTPayload {
  const azp = '11111111-0000-4000-8000-000000000000'
  return { oid, sub: `sub-${oid}`, name, roles, groups, tid, azp, ver: '2.0' }
}

function serviceClaims(tid: string, identity: ServiceIdentity | undefined): JWTPayload {
  const { clientId = '', objectId = '' } = identity ?? {}
  return { oid: objectId, sub: objectId, appid: clientId, appidacr: '2', idtyp: 'app', tid, ver: '1.0' }
}
