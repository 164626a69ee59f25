import { createPrivateKey, type KeyObject, sign as signNow } from 'node:crypto'
import { ECDSASigValue } from '@peculiar/asn1-ecc'
import { AsnConvert } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'

/** Signature algorithms of CAs, by their names in JOSE, which Key Vault uses. */
export type SignatureName = 'ES256' | 'ES384' | 'RS256' | 'RS384'

/**
 * Signs with a key that stays where it is. `sign` is given the bytes themselves, not their digest, and answers as JOSE and
 * Key Vault do: r‖s for ECDSA, each as long as the curve's order, PKCS #1 v1.5 for RSA.
 */
export interface Signer {
  readonly algorithm: SignatureName
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
}

const ALGORITHMS = {
  ES256: { id: '1.2.840.10045.4.3.2', hash: 'sha256', size: 32 },
  ES384: { id: '1.2.840.10045.4.3.3', hash: 'sha384', size: 48 },
  RS256: { id: '1.2.840.113549.1.1.11', hash: 'sha256', size: undefined },
  RS384: { id: '1.2.840.113549.1.1.12', hash: 'sha384', size: undefined },
} as const

/** The algorithm as certificates name it: ECDSA without parameters (RFC 5758), RSA with NULL (RFC 4055). */
export function algorithmOf({ algorithm }: Signer): AlgorithmIdentifier {
  const { id, size } = ALGORITHMS[algorithm]
  return new AlgorithmIdentifier({ algorithm: id, ...(size === undefined ? { parameters: null } : {}) })
}

/** The signature of `bytes` as X.509 carries it. Throws for one that has not the length of its algorithm. */
export async function signatureOf(signer: Signer, bytes: Uint8Array): Promise<Uint8Array> {
  const raw = await signer.sign(bytes)
  const { size } = ALGORITHMS[signer.algorithm]
  if (size === undefined) return raw
  if (raw.length !== 2 * size)
    throw new Error(`a signature of ${signer.algorithm} has ${2 * size} bytes, not ${raw.length}`)
  return derOfEcdsa(raw)
}

/** r‖s as `ECDSASigValue` (RFC 3279 §2.2.3): two positive INTEGERs, as short as they can be. */
export function derOfEcdsa(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2
  const value = new ECDSASigValue({ r: positive(raw.subarray(0, half)), s: positive(raw.subarray(half)) })
  return new Uint8Array(AsnConvert.serialize(value))
}

/** A signer for a key in memory (PEM): the key of an intermediate, for its own request. Throws for a key of another kind. */
export function localSigner(pem: string): Signer {
  const key = createPrivateKey(pem)
  const algorithm = nameFor(key)
  if (algorithm === undefined) throw new Error('no signature algorithm for a key of this kind')
  const { hash } = ALGORITHMS[algorithm]
  return { algorithm, sign: async (bytes) => signNow(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }) }
}

/** How a key of this kind signs; undefined for a kind that CAs do not have. */
export function nameFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): SignatureName | undefined {
  if (asymmetricKeyType === 'rsa') return 'RS256'
  const curves: Readonly<Record<string, SignatureName>> = { prime256v1: 'ES256', secp384r1: 'ES384' }
  return curves[asymmetricKeyDetails?.namedCurve ?? '']
}

/** Without zeros in front, but one where the highest bit would make it negative. */
function positive(bytes: Uint8Array): ArrayBuffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const short = first < 0 ? new Uint8Array([0]) : bytes.subarray(first)
  return new Uint8Array((short[0] ?? 0) & 0x80 ? [0, ...short] : short).buffer
}
