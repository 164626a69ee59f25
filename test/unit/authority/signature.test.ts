import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeCaKey } from '../../../src/authority/ca-key.ts'
import { derOfEcdsa, localSigner } from '../../../src/authority/signature.ts'

/** A number of as many bytes, often with zeros in front or the highest bit set. */
const number = (bytes: number) =>
  fc
    .tuple(
      fc.nat(bytes),
      fc.uint8Array({ minLength: bytes, maxLength: bytes }),
      fc.constantFrom(0x00, 0x7f, 0x80, 0xff),
    )
    .map(([zeros, rest, first]) => rest.map((byte, at) => (at < zeros ? 0 : at === zeros ? first : byte)))

/** DER read by hand: the two numbers, and that they are as short as X.690 §8.3.2 wants. */
function readDer(der: Uint8Array): bigint[] {
  let at = 0
  const head = (tag: number): number => {
    expect(der[at]).toBe(tag)
    const length = der[at + 1] ?? 0
    at += length === 0x81 ? 3 : 2
    return length === 0x81 ? (der[at - 1] ?? 0) : length
  }
  const whole = head(0x30)
  expect(at + whole).toBe(der.length)
  const numbers = [1, 2].map(() => {
    const length = head(0x02)
    const bytes = der.subarray(at, at + length)
    at += length
    expect((bytes[0] ?? 0x80) & 0x80).toBe(0)
    if (length > 1 && bytes[0] === 0) expect((bytes[1] ?? 0) & 0x80).toBe(0x80)
    return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  })
  expect(at).toBe(der.length)
  return numbers
}

it('r and s become two positive numbers of the same value, as short as they can be', () => {
  fc.assert(
    fc.property(fc.constantFrom(32, 48), fc.gen(), (bytes, gen) => {
      const [r, s] = [gen(number, bytes), gen(number, bytes)]
      const value = (part: Uint8Array) => BigInt(`0x${Buffer.from(part).toString('hex')}`)
      expect(readDer(derOfEcdsa(new Uint8Array([...r, ...s])))).toEqual([value(r), value(s)])
    }),
    { numRuns: 500 },
  )
})

it('OpenSSL verifies what was converted, whatever the numbers', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const signer = localSigner(String(privateKey.export({ format: 'pem', type: 'pkcs8' })))
  return fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
      const raw = await signer.sign(bytes)
      expect(raw).toHaveLength(96)
      expect(verify('sha384', bytes, publicKey, derOfEcdsa(raw))).toBe(true)
    }),
    { numRuns: 50 },
  )
})

it('a key in memory signs as Key Vault does, and keys are different each time', async () => {
  const keys = await Promise.all([1, 2].map(() => makeCaKey({ type: 'RSA', size: 2048 })))
  const digests = keys.map(({ publicKey }) => createHash('sha256').update(publicKey).digest('hex'))
  expect(new Set(digests).size).toBe(2)
  for (const { pem, publicKey } of keys) {
    const signer = localSigner(pem)
    expect(signer.algorithm).toBe('RS256')
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    expect(verify('sha256', new Uint8Array(3), key, await signer.sign(new Uint8Array(3)))).toBe(true)
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  expect(() => localSigner(String(privateKey.export({ format: 'pem', type: 'pkcs8' })))).toThrow('kind')
})
