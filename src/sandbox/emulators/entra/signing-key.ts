import { exportJWK, exportPKCS8, generateKeyPair, importJWK, importPKCS8, type JWK } from 'jose'
import type { Table } from '../emulator.ts'

/** The tenant's signing key. */
export interface SigningKey {
  readonly privateKey: Awaited<ReturnType<typeof importPKCS8>>
  readonly publicKey: Awaited<ReturnType<typeof importJWK>>
  /** The public half, as the tenant's JWKS has it. */
  readonly jwk: JWK
}

/** The key that the table keeps; made at the first call. */
export async function openSigningKey(table: Table): Promise<SigningKey> {
  const kept = table.get('key') as { pkcs8: string; jwk: JWK } | undefined
  const { pkcs8, jwk } = kept ?? (await makeKey(table))
  const [privateKey, publicKey] = await Promise.all([importPKCS8(pkcs8, 'RS256'), importJWK(jwk, 'RS256')])
  return { privateKey, publicKey, jwk }
}

async function makeKey(table: Table): Promise<{ pkcs8: string; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'sandbox-1', use: 'sig', alg: 'RS256' }
  const made = { pkcs8: await exportPKCS8(privateKey), jwk }
  table.put('key', made)
  return made
}
