import { createPrivateKey } from 'node:crypto'
import { readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'

/** Parts of the private key in the forms that it could leak in: base64 at any offset, raw, hex. */
export function secretMarks(value: string): string[] {
  return marksOf(Buffer.from(readPem(value)[0]?.base64 ?? '', 'base64'))
}

/** The same for an EC key (PKCS #8, DER): of its secret number alone, for the rest of it is public. */
export function ecMarks(pkcs8: Buffer): string[] {
  const { d = '' } = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  return marksOf(Buffer.from(d, 'base64url'))
}

function marksOf(bytes: Buffer): string[] {
  const part = bytes.subarray(bytes.length / 2, bytes.length / 2 + 24)
  const shifted = [0, 1, 2].map((skip) => part.subarray(skip).toString('base64').slice(0, 24))
  return [
    ...shifted,
    ...shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    part.toString('hex'),
    part.toString('latin1'),
    'PRIVATE KEY',
  ]
}

/** All that a log could make of an error: message, stack, own fields, causes. */
export function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = Object.getOwnPropertyNames(error).map((name) => everythingIn(Reflect.get(error, name)))
  return [error.stack, ...own].join('\n')
}
