import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { CertificateTarget } from '../../../../src/model/certificate.ts'
import { leafOf, readKeyPair } from '../../../../src/reconcile/certificates/key-pair.ts'
import { generateKey, privateKeyOf, type StoredKey } from '../../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../../src/sandbox/emulators/key-vault/pem.ts'
import { authority, certificateRequest, signRequest } from '../../../../src/sandbox/emulators/key-vault/x509.ts'

const NOW = Date.UTC(2030, 0, 1)
const DAY_MS = 86_400_000
const LONG = { notBefore: 0, notAfter: Date.UTC(2100, 0, 1) }
const WANTED: CertificateTarget = { version: 'v1', serial: 'ab12', revision: 1 }
const PEM = 'application/x-pem-file'

let key: StoredKey
let other: StoredKey
let keyPem: string
/** Leaf, intermediate, root. */
let chain: string[]
let stranger: string
/** Bears the name of the intermediate, and not its key. */
let impostor: string

beforeAll(async () => {
  const kind = { kty: 'EC', curve: 'P-256' } as const
  const keys = await Promise.all([1, 2, 3, 4, 5].map(() => generateKey(kind)))
  const [rootKey, middleKey, leafKey, otherKey, strangerKey] = keys as [
    StoredKey,
    StoredKey,
    StoredKey,
    StoredKey,
    StoredKey,
  ]
  key = leafKey
  other = otherKey
  const root = await authority(rootKey, 'CN=Root', { ...LONG, serial: '01' })
  const middle = await authority(middleKey, 'CN=Middle', { ...LONG, serial: '02' }, root)
  const names = { dnsNames: ['web.example.com'] }
  const content = { subject: 'CN=web.example.com', names, ekus: [], keyUsage: ['digitalSignature'] }
  const csr = await certificateRequest(leafKey, content)
  const leaf = await signRequest(csr, middle, { notBefore: NOW - DAY_MS, notAfter: NOW + DAY_MS, serial: '00ab12' })
  chain = [leaf, middle.der, root.der].map((der) => pem('CERTIFICATE', der))
  keyPem = pem('PRIVATE KEY', leafKey.pkcs8)
  impostor = pem('CERTIFICATE', (await authority(strangerKey, 'CN=Middle', { ...LONG, serial: '02' })).der)
  stranger = pem('CERTIFICATE', (await authority(strangerKey, 'CN=Stranger', { ...LONG, serial: '03' })).der)
})

function read(value: string, wanted = WANTED, now = NOW, contentType = PEM) {
  return readKeyPair({ value, contentType }, wanted, now)
}

function refusal(value: string, wanted = WANTED, now = NOW, contentType = PEM): string {
  const pair = read(value, wanted, now, contentType)
  return pair.ok ? 'none' : pair.refusal.reason
}

describe('a pair of key and chain', () => {
  it('is put in order, whatever the order in which the vault keeps it', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
        const blocks = [keyPem, ...chain]
        const pair = read(order.map((index) => blocks[index]).join(''))
        if (!pair.ok) throw new Error(pair.refusal.reason)
        const subjects = pair.value.chain
          .split(/(?<=-----END CERTIFICATE-----\n)/)
          .filter((block) => block.includes('BEGIN'))
          .map((block) => new X509Certificate(block).subject)
        expect(subjects).toEqual(['CN=web.example.com', 'CN=Middle', 'CN=Root'])
        expect(pair.value.key.trim()).toBe(keyPem.trim())
        expect(pair.value.chain).not.toContain('PRIVATE')
      }),
      { numRuns: 24 },
    )
  })

  it('may be without its root, or a leaf alone', () => {
    expect(read(keyPem + chain.slice(0, 2).join(''))).toMatchObject({ ok: true })
    expect(read(keyPem + chain[0])).toMatchObject({ ok: true })
  })

  it('may hold a key in the older forms that OpenSSL writes', () => {
    const sec1 = privateKeyOf(key).export({ format: 'pem', type: 'sec1' }).toString()
    expect(sec1).toContain('EC PRIVATE KEY')
    expect(read(sec1 + chain.join(''))).toMatchObject({ ok: true })
  })

  it('that is PKCS #12 is refused with the way out', () => {
    expect(refusal('MIIKLgIBAzCCCeoGCSqGSIb3DQEHAaCCCdsEggnX')).toBe('NotPem')
    const pair = read(keyPem + chain.join(''), WANTED, NOW, 'application/x-pkcs12')
    expect(pair).toMatchObject({ ok: false, refusal: { message: expect.stringContaining('application/x-pem-file') } })
  })

  it('is refused when the key is another one, is encrypted, is missing, or is one of two', () => {
    const otherPem = pem('PRIVATE KEY', other.pkcs8)
    const encrypted = privateKeyOf(key)
      .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString()
    expect(refusal(otherPem + chain.join(''))).toBe('KeyMismatch')
    expect(refusal(encrypted + chain.join(''))).toBe('KeyUnreadable')
    expect(refusal(chain.join(''))).toBe('KeyMissing')
    expect(refusal(keyPem + otherPem + chain.join(''))).toBe('KeyAmbiguous')
    expect(refusal(keyPem)).toBe('KeyMismatch')
  })

  it('is refused when the leaf is not the wanted one, or not valid now', () => {
    const all = keyPem + chain.join('')
    expect(refusal(all, { ...WANTED, serial: 'ab13' })).toBe('SerialMismatch')
    expect(refusal(all, WANTED, NOW + 2 * DAY_MS)).toBe('Expired')
    expect(refusal(all, WANTED, NOW - 2 * DAY_MS)).toBe('NotYetValid')
  })

  it('is refused when something else is among the certificates', () => {
    expect(refusal(keyPem + chain.join('') + stranger)).toBe('ChainBroken')
    expect(refusal(keyPem + chain[0] + chain[2])).toBe('ChainBroken')
    expect(refusal(keyPem + chain[0] + impostor)).toBe('ChainBroken')
    expect(refusal(`${keyPem + chain[0]}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`)).toBe(
      'CertificateUnreadable',
    )
  })

  it('never tells of the key when it is refused, whatever the text', () => {
    const body = keyPem.split('\n').slice(1, -2)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: keyPem.length - 1 }), fc.string({ maxLength: 3 }), (at, noise) => {
        const pair = read(keyPem.slice(0, at) + noise + keyPem.slice(at + 1) + chain.join(''))
        if (pair.ok) return
        for (const line of body) expect(JSON.stringify(pair)).not.toContain(line)
      }),
      { numRuns: 100 },
    )
  })
})

describe('the leaf of a PEM text', () => {
  it('is told by serial and end', () => {
    expect(leafOf(chain.join(''))).toEqual({ serial: 'ab12', notAfterMs: NOW + DAY_MS })
  })

  it('is none where there is none', () => {
    expect(leafOf('')).toBeUndefined()
    expect(leafOf('-----BEGIN CERTIFICATE-----')).toBeUndefined()
  })
})
