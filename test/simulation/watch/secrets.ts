import { createPrivateKey } from 'node:crypto'
import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'

/** Looks for secrets in text, byte by byte: words that are known from the start, and private keys as they are made. */
export interface SecretSearch {
  /** PKCS #8 DER of an EC key, base64. */
  addKey(pkcs8: string): void
  /** Every key of a PEM text. */
  addPem(text: string): void
  isIn(text: string): boolean
}

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

const LINE = 64

/**
 * Pieces of a key in every form in which it may be written: in a line and in PEM's lines, that in base64 again, as hex and as
 * in a JWK. Only of its private number: what stands around it in DER is public.
 */
function partsOf(pkcs8: string): readonly string[] {
  const der = Buffer.from(pkcs8, 'base64')
  const { d = '' } = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  const number = Buffer.from(d, 'base64url')
  const from = der.indexOf(number)
  const [start, end] = [Math.ceil(from / 3) * 4, Math.floor((from + number.length) / 3) * 4]
  const text = pem('PRIVATE KEY', pkcs8)
  const twice = Buffer.from(text).toString('base64')
  const at = Math.ceil((text.indexOf('\n') + 1 + start + Math.floor(start / LINE)) / 3) * 4
  // Each line of PEM on its own: an RSA key has many.
  const lines = []
  for (let line = Math.floor(start / LINE) * LINE; line < end; line += LINE) {
    const piece = pkcs8.slice(Math.max(line, start), Math.min(line + LINE, end))
    if (piece.length >= 16) lines.push(piece.slice(0, 24))
  }
  return [...lines, twice.slice(at, at + 16), number.toString('hex').slice(0, 24), d.slice(0, 24)]
}
