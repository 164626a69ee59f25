import { constants, privateEncrypt } from 'node:crypto'
import * as z from 'zod'
import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { bodyOf, type VaultCall } from './call.ts'
import { signDigest } from './ecdsa.ts'
import { badParameter, VaultError } from './errors.ts'
import { privateKeyOf, type StoredKey } from './keys.ts'
import type { KeyVersion } from './records.ts'

const signBody = z.object({ alg: z.string(), value: z.base64url() })

/** Signature algorithms: the kind of key, the bytes of the digest, and what PKCS #1 puts before it (RFC 8017, 9.2). */
const ALGORITHMS: Readonly<Record<string, { readonly of: string; readonly bytes: number; readonly prefix: string }>> = {
  ES256: { of: 'P-256', bytes: 32, prefix: '' },
  ES384: { of: 'P-384', bytes: 48, prefix: '' },
  ES512: { of: 'P-521', bytes: 64, prefix: '' },
  RS256: { of: 'RSA', bytes: 32, prefix: '3031300d060960864801650304020105000420' },
  RS384: { of: 'RSA', bytes: 48, prefix: '3041300d060960864801650304020205000430' },
  RS512: { of: 'RSA', bytes: 64, prefix: '3051300d060960864801650304020305000440' },
}

/** Sign of a digest. Protocol: learn.microsoft.com/rest/api/keyvault/keys/sign. */
export function sign(call: VaultCall, name: string, version: KeyVersion): EmulatorResponse {
  const { alg, value } = bodyOf(call, signBody)
  allowed(version, call.now)
  const { key, kty, id } = version
  const kid = `https://${call.host}/keys/${name}/${id}`
  const known = Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined
  if (!known || known.of !== (key.kind.kty === 'EC' ? key.kind.curve : 'RSA'))
    throw badParameter(
      `Key and signing algorithm are incompatible: the key ${kid} is of the type ${kty}, not for ${alg}`,
    )
  const digest = Buffer.from(value, 'base64url')
  if (digest.length !== known.bytes)
    throw badParameter(`Invalid length of 'value': ${digest.length} bytes. ${alg} requires ${known.bytes} bytes.`)
  return jsonResponse(200, { kid, value: signed(key, known.prefix, digest).toString('base64url') })
}

function allowed({ enabled, nbf, exp, ops }: KeyVersion, now: number): void {
  const refuse = (what: string, inner: string) =>
    new VaultError(403, 'Forbidden', `Operation sign is ${what}.`, { inner })
  if (!enabled) throw refuse('not allowed on a disabled key', 'KeyDisabled')
  if (nbf !== undefined && now < nbf) throw refuse('not allowed on a key that is not yet valid', 'KeyNotYetValid')
  if (exp !== undefined && now >= exp) throw refuse('not allowed on an expired key', 'KeyExpired')
  if (!ops.includes('sign')) throw refuse('not permitted on this key', 'KeyOperationForbidden')
}

function signed(key: StoredKey, prefix: string, digest: Buffer): Buffer {
  if (key.kind.kty === 'EC') return signDigest(key, key.kind.curve, digest)
  const padded = { key: privateKeyOf(key), padding: constants.RSA_PKCS1_PADDING }
  return privateEncrypt(padded, Buffer.concat([Buffer.from(prefix, 'hex'), digest]))
}
