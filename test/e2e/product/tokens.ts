import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { SANDBOX_ISSUER } from '../../../src/sandbox/azure-services.ts'
import { entraEmulator } from '../../../src/sandbox/emulators/entra/entra.ts'
import { SANDBOX_AUDIENCE, SANDBOX_PEOPLE, SANDBOX_TENANT } from '../../../src/sandbox/identities.ts'
import { sqliteStorage } from '../../../src/sandbox/storage.ts'
import type { Product } from './product.ts'

/** Tokens for an administrator that nobody should take, by what is wrong with them; `good` is for comparison. */
export async function wrongTokens(product: Product) {
  const good = product.file.tokens.admin
  const storage = sqliteStorage(join(product.folder, 'state.db'))
  const issue = async (change: { issuer?: string; audience?: string; lifetimeS?: number; tid?: string }) => {
    const { tid, ...options } = change
    const usual = { tenantId: SANDBOX_TENANT, issuer: SANDBOX_ISSUER, audience: SANDBOX_AUDIENCE, lifetimeS: 3600 }
    const entra = await entraEmulator({ now: Date.now, random: Math.random, storage }, { ...usual, ...options })
    return entra.issueToken(SANDBOX_PEOPLE.admin, tid === undefined ? {} : { tid })
  }
  try {
    return {
      good: await issue({}),
      expired: await issue({ lifetimeS: -3600 }),
      'for another audience': await issue({ audience: 'api://other' }),
      'of another issuer': await issue({ issuer: 'https://login.example.com/v2.0' }),
      'of another tenant': await issue({ tid: '00000000-aaaa-4000-8000-000000000000' }),
      'signed by another key': await foreign(good),
      'with alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${good.split('.')[1]}.`,
      'with alg none and a signature': `${encode({ alg: 'none', typ: 'JWT' })}.${good.split('.').slice(1).join('.')}`,
      'with other claims under the signature': changed(good),
      'that is no token': 'not-a-token',
    }
  } finally {
    storage.close()
  }
}

/** The same claims and key id, signed by a key that says in the token that it is to be trusted. */
async function foreign(token: string): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const header = { ...decode(token.split('.')[0]), alg: 'RS256', jwk: await exportJWK(publicKey) }
  return new SignJWT(decode(token.split('.')[1])).setProtectedHeader(header).sign(privateKey)
}

function changed(token: string): string {
  const [header, claims, signature] = token.split('.')
  return `${header}.${encode({ ...decode(claims), name: 'Somebody Else' })}.${signature}`
}

function decode(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
