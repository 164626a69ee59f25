import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { BundleProblem, BundleProblemCode } from './bundle-problem.ts'
import { GOOD_KEYS, isGoodKey } from './key-rules.ts'
import { readPem } from './pem.ts'

/** Kinds of keys that intermediates get. */
export type CaKeyKind =
  | { readonly type: 'EC'; readonly curve: 'P-256' | 'P-384' }
  | { readonly type: 'RSA'; readonly size: 2048 | 3072 | 4096 }

/** The key of an intermediate. It is made here, because istiod signs with it and so has to be given it. */
export interface CaKey {
  /** PKCS #8, PEM. A secret: never stored anywhere but in a vault, never logged or shown. */
  readonly pem: string
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
}

/** A new key in memory. */
export async function makeCaKey(kind: CaKeyKind): Promise<CaKey> {
  const make = promisify(generateKeyPair)
  const { privateKey, publicKey } =
    kind.type === 'EC' ? await make('ec', { namedCurve: kind.curve }) : await make('rsa', { modulusLength: kind.size })
  return {
    pem: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }),
  }
}

/** The labels that istiod takes (`security/pkg/pki/util/crypto.go`), with the form of DER that each stands for. */
const FORMS = { 'PRIVATE KEY': 'pkcs8', 'EC PRIVATE KEY': 'sec1', 'RSA PRIVATE KEY': 'pkcs1' } as const

type Read = { readonly key: KeyObject } | { readonly problem: BundleProblem }

/**
 * The key of a `ca-key` text as istiod reads it, from the first block, and refused where anything stands beside it: what
 * comes after the first block is a secret that nobody looks at.
 */
export function readCaKey(text: string): Read {
  const { blocks, hasOther, isBroken } = readPem(text)
  const [first, ...others] = blocks
  if (isBroken) return problem('PemBroken', 'ca-key is not whole PEM: a block is cut off, encrypted or not base64.')
  if (!first) return problem('Empty', 'ca-key holds no PEM block.')
  if (first.label === 'ENCRYPTED PRIVATE KEY')
    return problem('KeyUnreadable', 'ca-key is encrypted; the mesh cannot open it. Give it without a password.')
  if (!isForm(first.label)) {
    const message = `ca-key begins with ${first.label}; the mesh reads the first block only, and takes PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY. Leave everything else out.`
    return problem('KeyNotFirst', message)
  }
  if (others.length > 0) return problem('WrongBlock', 'ca-key holds more than one block. Give the key alone.')
  if (hasOther) return problem('TextOutside', 'ca-key holds text outside its block. Give the key alone.')
  const key = parseKey(first.der, FORMS[first.label])
  if (!key) return problem('KeyUnreadable', `The key in ca-key is not what its label says (${first.label}).`)
  if (!isGoodKey(key)) return problem('KeyAlgorithm', `The key in ca-key is not ${GOOD_KEYS}.`)
  return { key }
}

function isForm(label: string): label is keyof typeof FORMS {
  return Object.hasOwn(FORMS, label)
}

/** OpenSSL reads any form under any name, Go does not: so the form is looked at first. Its words could hold input: they go no further. */
function parseKey(der: Uint8Array, form: 'pkcs8' | 'sec1' | 'pkcs1'): KeyObject | undefined {
  if (formOf(der) !== form) return undefined
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: form })
  } catch {
    return undefined
  }
}

/** A SEQUENCE that fills the bytes, a version of one byte, and then what tells the forms apart: AlgorithmIdentifier, modulus, key. */
function formOf(der: Uint8Array): string | undefined {
  const long = (der[1] ?? 0) & 0x80 ? (der[1] ?? 0) & 0x7f : 0
  const length = long ? Number(`0x${Buffer.from(der.subarray(2, 2 + long)).toString('hex') || '0'}`) : (der[1] ?? 0)
  const at = 2 + long
  if (der[0] !== 0x30 || at + length !== der.length || der[at] !== 0x02 || der[at + 1] !== 1) return undefined
  return { 48: 'pkcs8', 2: 'pkcs1', 4: 'sec1' }[der[at + 3] ?? 0]
}

function problem(code: BundleProblemCode, message: string): Read {
  return { problem: { code, part: 'caKey', message } }
}
