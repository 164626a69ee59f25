import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, type JWK, SignJWT } from 'jose'
import { type Emulator, type EmulatorContext, jsonResponse, type Table } from '../emulator.ts'

/** An Entra tenant as the product sees it: an issuer with keys, and tokens for people who hold app roles. */
export interface EntraEmulator {
  readonly handle: Emulator
  /** An access token of the tenant, signed RS256. `claims` go over the usual ones. */
  issueToken(subject: TokenSubject, claims?: Readonly<Record<string, unknown>>): Promise<string>
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
}

interface Keys {
  readonly privateKey: Awaited<ReturnType<typeof importPKCS8>>
  readonly jwk: JWK
}

/** Opens a tenant; its signing key is made once and kept, so that tokens outlive a restart. */
export async function entraEmulator(context: EmulatorContext, options: EntraOptions): Promise<EntraEmulator> {
  const keys = await openKeys(context.storage.table('entra'))
  return {
    async handle(request) {
      if (request.url.pathname.endsWith('/.well-known/openid-configuration')) {
        const jwksUri = new URL('/discovery/v2.0/keys', request.url).href
        return jsonResponse(200, { issuer: options.issuer, jwks_uri: jwksUri })
      }
      if (request.url.pathname.endsWith('/discovery/v2.0/keys')) return jsonResponse(200, { keys: [keys.jwk] })
      return jsonResponse(404, { error: 'not_found' })
    },
    issueToken(subject, claims = {}) {
      const issuedAt = Math.floor(context.now() / 1000)
      const { oid, name, roles, groups = [] } = subject
      const usual = {
        oid,
        sub: `sub-${oid}`,
        name,
        roles,
        groups,
        tid: options.tenantId,
        azp: '11111111-0000-4000-8000-000000000000',
        ver: '2.0',
      }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keys.jwk.kid ?? '' })
        .setIssuer(options.issuer)
        .setAudience(options.audience)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + options.lifetimeS)
        .sign(keys.privateKey)
    },
  }
}

async function openKeys(table: Table): Promise<Keys> {
  const kept = table.get('key') as { pkcs8: string; jwk: JWK } | undefined
  if (kept) return { privateKey: await importPKCS8(kept.pkcs8, 'RS256'), jwk: kept.jwk }
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'sandbox-1', use: 'sig', alg: 'RS256' }
  table.put('key', { pkcs8: await exportPKCS8(privateKey), jwk })
  return { privateKey, jwk }
}
