import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'

/** Looks for secrets in text, byte by byte: words that are known from the start, and private keys as they are made. */
export interface SecretSearch {
  /** PKCS #8 DER of an EC key, base64. */
  addKey(pkcs8: string): void
  /** Every key of a PEM text. */
  addPem(text: string): void
  isIn(text: string): boolean
}

/** In DER the private number of an EC key stands here: what follows is public. Those of P-384 are longer. */
const NUMBERS = [
  { curve: '2a8648ce3d030107', from: 36, length: 32 },
  { curve: '2b81040022', from: 35, length: 48 },
] as const

export function searchSecrets(words: readonly string[]): SecretSearch {
  const needles = [...words]
  const keys = new Set<string>()
  const addKey = (pkcs8: string) => {
    if (keys.has(pkcs8)) return
    keys.add(pkcs8)
    needles.push(...partsOf(pkcs8))
  }
  return {
    addKey,
    addPem(text) {
      for (const { label, base64 } of readPem(text)) if (label === 'PRIVATE KEY') addKey(base64)
    },
    isIn: (text) => needles.some((needle) => text.includes(needle)),
  }
}

/** Pieces of a key in every form in which it may be written: in a line and in PEM's lines, that in base64 again, as hex and as in a JWK. */
function partsOf(pkcs8: string): readonly string[] {
  const der = Buffer.from(pkcs8, 'base64')
  const { from, length } = NUMBERS.find(({ curve }) => der.toString('hex').includes(curve)) ?? NUMBERS[0]
  const number = der.subarray(from, from + length)
  const start = Math.ceil(from / 3) * 4
  const text = pem('PRIVATE KEY', pkcs8)
  const twice = Buffer.from(text).toString('base64')
  const at = Math.ceil((text.indexOf('\n') + 1 + start) / 3) * 4
  return [
    pkcs8.slice(start, 64),
    pkcs8.slice(64, 88),
    twice.slice(at, at + 16),
    number.toString('hex').slice(0, 24),
    number.toString('base64url').slice(0, 24),
  ]
}
