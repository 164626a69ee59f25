import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { BundlePart, BundleProblemCode } from '../../../src/authority/bundle-problem.ts'
import { type CaBundle, checkBundle } from '../../../src/authority/ca-bundle.ts'
import type { BundleRules } from '../../../src/authority/certificate-rules.ts'
import { pemOf, readPem } from '../../../src/authority/pem.ts'
import { bundleOf, critical, DAY_MS, keyAs, type MadeCa, makeCa, NOW, permits, rsa, usedFor } from './ca-maker.ts'

const RULES = { now: NOW }

let root: MadeCa
let ca: MadeCa
let other: MadeCa
let good: CaBundle
beforeAll(async () => {
  root = await makeCa({ subject: 'CN=Root' })
  ca = await makeCa({ subject: 'CN=Mesh CA' }, root)
  other = await makeCa({ subject: 'CN=Other root' })
  good = bundleOf(ca, root)
})

function codes(bundle: CaBundle, rules: Partial<BundleRules> = {}): string[] {
  return checkBundle(bundle, { ...RULES, ...rules }).map(({ code, part }) => `${part} ${code}`)
}

describe('a bundle that istiod can take', () => {
  it('is a root, a CA below it, their chain and the key', () => {
    expect(codes(good)).toEqual([])
  })

  it('may have its root at the end of the chain, several roots, and a CA between', async () => {
    const between = await makeCa({ pathLength: 1 }, root)
    const low = await makeCa({}, between)
    expect(codes(bundleOf(low, between, { ...root, cert: root.cert }))).toContain('rootCert PathLength')
    const high = await makeCa({ pathLength: 2 })
    const middle = await makeCa({ pathLength: 1 }, high)
    const below = await makeCa({}, middle)
    expect(codes(bundleOf(below, middle, high))).toEqual([])
    expect(codes({ ...good, certChain: ca.cert + root.cert })).toEqual([])
    expect(codes({ ...good, rootCert: other.cert + root.cert })).toEqual([])
  })

  it('may have no limit of path length, or a root that signs leaves itself', async () => {
    const free = await makeCa({ pathLength: null })
    const below = await makeCa({ pathLength: null }, free)
    expect(codes(bundleOf(below, free))).toEqual([])
    expect(codes(bundleOf(free))).toEqual([])
  })

  it.each([
    ['EC P-256', { name: 'ECDSA', namedCurve: 'P-256' }, 'sec1'],
    ['EC P-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'sec1'],
    ['RSA', rsa(2048), 'pkcs1'],
  ] as const)('may have keys of %s, in both forms, and lines as Windows ends them', async (_, key, form) => {
    const above = await makeCa({ key, hash: 'SHA-256' })
    const below = await makeCa({ key, hash: 'SHA-256' }, above)
    const bundle = bundleOf(below, above)
    for (const caKey of [bundle.caKey, keyAs(below, form)]) {
      expect(codes({ ...bundle, caKey })).toEqual([])
      const windows = Object.entries({ ...bundle, caKey }).map(([part, text]) => [part, text.replaceAll('\n', '\r\n')])
      expect(codes(Object.fromEntries(windows))).toEqual([])
    }
  })

  it('may have a CA of its root’s own name between, which counts for no path length', async () => {
    const renewed = await makeCa({ subject: 'CN=Root', pathLength: 1 }, root)
    expect(codes(bundleOf(await makeCa({}, renewed), renewed, root))).toEqual([])
  })

  it('may trust a CA that another one signed, where the mesh holds it already', async () => {
    const middle = await makeCa({ pathLength: 1 }, root)
    const bundle = bundleOf(await makeCa({}, middle), middle)
    expect(codes(bundle)).toEqual(['rootCert RootNotSelfSigned'])
    expect(codes(bundle, { heldRoots: middle.cert })).toEqual([])
    expect(codes({ ...bundle, certChain: bundle.caCert + middle.cert }, { heldRoots: middle.cert })).toEqual([])
  })

  it('may have two roots of the same name, of which one signed', async () => {
    const twin = await makeCa({ subject: 'CN=Root' })
    expect(codes({ ...good, rootCert: twin.cert + root.cert })).toEqual([])
    expect(codes({ ...good, rootCert: twin.cert })).toEqual(['certChain ChainUnrooted'])
  })
})

/** Each is bad in one way, and is refused for it. */
type Bad = readonly [
  what: string,
  expected: `${BundlePart} ${BundleProblemCode}`,
  make: () => Promise<CaBundle> | CaBundle,
]

const ecParameters = '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n'
const below = async (how: Parameters<typeof makeCa>[0]) => bundleOf(await makeCa(how, root), root)
const above = async (how: Parameters<typeof makeCa>[0], of: Parameters<typeof makeCa>[0] = {}) => {
  const made = await makeCa(how)
  return bundleOf(await makeCa(of, made), made)
}

const TEXTS: readonly Bad[] = [
  ['no root', 'rootCert Empty', () => ({ ...good, rootCert: '' })],
  ['no chain', 'certChain Empty', () => ({ ...good, certChain: '\n' })],
  [
    'text between roots',
    'rootCert TextOutside',
    () => ({ ...good, rootCert: `${root.cert}# the old one\n${other.cert}` }),
  ],
  ['text before the CA', 'caCert TextOutside', () => ({ ...good, caCert: `subject=CN\n${ca.cert}` })],
  ['blocks glued together', 'rootCert PemBroken', () => ({ ...good, rootCert: root.cert.trim() + other.cert })],
  ['a block that is cut off', 'certChain PemBroken', () => ({ ...good, certChain: ca.cert.slice(0, -30) })],
  ['a block indented', 'rootCert PemBroken', () => ({ ...good, rootCert: ` ${root.cert}` })],
  [
    'a body that is not base64',
    'caCert PemBroken',
    () => ({ ...good, caCert: ca.cert.replace('MII', 'M!I').replace('\nMI', '\n*') }),
  ],
  ['bytes after a certificate', 'rootCert CertificateUnreadable', () => ({ ...good, rootCert: withTail(root.cert) })],
  [
    'a body that is no certificate',
    'caCert CertificateUnreadable',
    () => ({ ...good, caCert: pemOf('CERTIFICATE', new Uint8Array([48, 0])) }),
  ],
  ['a key among the roots', 'rootCert WrongBlock', () => ({ ...good, rootCert: root.cert + root.key })],
  [
    'another label',
    'rootCert WrongBlock',
    () => ({ ...good, rootCert: root.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE') + root.cert }),
  ],
  ['two CAs', 'caCert TooMany', () => ({ ...good, caCert: ca.cert + root.cert })],
  ['more roots than any mesh has', 'rootCert TooMany', () => ({ ...good, rootCert: root.cert.repeat(21) })],
  ['more than a secret holds', 'rootCert TooLarge', () => ({ ...good, rootCert: root.cert + '\n'.repeat(25_600) })],
]

const KEYS: readonly Bad[] = [
  ['the key of another', 'caKey KeyMismatch', () => ({ ...good, caKey: other.key })],
  ['EC PARAMETERS first', 'caKey KeyNotFirst', () => ({ ...good, caKey: ecParameters + keyAs(ca, 'sec1') })],
  ['a certificate first', 'caKey KeyNotFirst', () => ({ ...good, caKey: ca.cert + ca.key })],
  ['EC PARAMETERS after it', 'caKey WrongBlock', () => ({ ...good, caKey: keyAs(ca, 'sec1') + ecParameters })],
  ['text before the key', 'caKey TextOutside', () => ({ ...good, caKey: `Bag Attributes\n${ca.key}` })],
  ['no key', 'caKey Empty', () => ({ ...good, caKey: '' })],
  [
    'a key under another label',
    'caKey KeyUnreadable',
    () => ({ ...good, caKey: ca.key.replaceAll('PRIVATE', 'EC PRIVATE') }),
  ],
  [
    'a SEC 1 key as PKCS #8',
    'caKey KeyUnreadable',
    () => ({ ...good, caKey: keyAs(ca, 'sec1').replaceAll('EC PRIVATE', 'PRIVATE') }),
  ],
  ['a key with bytes after it', 'caKey KeyUnreadable', () => ({ ...good, caKey: withTail(ca.key) })],
  ['an encrypted key', 'caKey KeyUnreadable', () => ({ ...good, caKey: encrypted(ca.key, 'pkcs8') })],
  ['a key encrypted as of old', 'caKey PemBroken', () => ({ ...good, caKey: encrypted(ca.key, 'sec1') })],
  [
    'a key of Ed25519',
    'caKey KeyAlgorithm',
    () => ({
      ...good,
      caKey: String(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })),
    }),
  ],
  ['a key of P-521', 'caCert KeyAlgorithm', () => below({ key: { name: 'ECDSA', namedCurve: 'P-521' } })],
  ['RSA of 1,024 bits', 'caCert KeyAlgorithm', () => below({ key: rsa(1024) })],
  [
    'a root of 1,024 bits',
    'rootCert KeyAlgorithm',
    () => above({ key: rsa(1024), hash: 'SHA-256' }, { hash: 'SHA-256' }),
  ],
]

const CHAINS: readonly Bad[] = [
  ['a chain of another root', 'certChain ChainUnrooted', () => ({ ...good, rootCert: other.cert })],
  [
    'a root of the same name and another key',
    'certChain ChainUnrooted',
    async () => ({ ...good, rootCert: (await makeCa({ subject: 'CN=Root' })).cert }),
  ],
  ['a chain without the CA', 'certChain ChainLacksCa', () => ({ ...good, certChain: root.cert })],
  ['a chain in the wrong order', 'certChain ChainLacksCa', () => ({ ...good, certChain: root.cert + ca.cert })],
  ['a stranger in the chain', 'certChain ChainOrder', () => ({ ...good, certChain: ca.cert + other.cert })],
  ['a forged signature', 'certChain ChainUnrooted', () => forged()],
  ['a CA below one that allows none', 'rootCert PathLength', () => above({ pathLength: 0 })],
  [
    'two CAs below a root that allows one',
    'rootCert PathLength',
    async () => {
      const middle = await makeCa({ pathLength: 1 }, root)
      return bundleOf(await makeCa({}, middle), middle, root)
    },
  ],
  [
    'two CAs below an intermediate that allows none',
    'certChain PathLength',
    async () => {
      const top = await makeCa({ pathLength: null })
      const middle = await makeCa({ pathLength: 0 }, top)
      return bundleOf(await makeCa({}, middle), middle, top)
    },
  ],
  [
    'a root that did not sign itself',
    'rootCert RootNotSelfSigned',
    async () => {
      const middle = await makeCa({ pathLength: 1 }, root)
      return bundleOf(await makeCa({}, middle), middle)
    },
  ],
]

const CAS: readonly Bad[] = [
  ['a certificate that is no CA', 'caCert NotCa', () => below({ ca: false, pathLength: null })],
  ['a root that is no CA', 'rootCert NotCa', () => above({ ca: false, pathLength: null })],
  ['constraints that are not critical', 'caCert ConstraintsNotCritical', () => below({ isCritical: false })],
  ['no key usage', 'caCert KeyUsageMissing', () => below({ usage: null })],
  [
    'SPIFFE ids of another domain alone',
    'caCert NameConstraints',
    () => below({ extensions: [permits(6, '.example.com')] }),
  ],
  ['DNS names of a domain alone', 'caCert NameConstraints', () => below({ extensions: [permits(2, 'example.com')] })],
  ['the key usage of a server', 'caCert CannotSign', () => below({ usage: 1 })],
  ['SHA-1', 'caCert SignatureAlgorithm', () => below({ hash: 'SHA-1' })],
  ['a root by SHA-1', 'rootCert SignatureAlgorithm', () => above({ hash: 'SHA-1' })],
  ['a CA for servers only', 'caCert ExtendedKeyUsage', () => below({ extensions: [usedFor('1.3.6.1.5.5.7.3.1')] })],
  [
    'a critical extension that nobody knows',
    'caCert CriticalExtension',
    () => below({ extensions: [critical('1.2.3.4')] }),
  ],
  ['a serial that is too long', 'caCert SerialNumber', () => below({ serial: `51${'00'.repeat(20)}` })],
  ['an end in the past', 'caCert Expired', () => below({ notAfter: NOW })],
  ['a beginning in the future', 'caCert NotYetValid', () => below({ notBefore: NOW + 1000 })],
  ['a root that has ended', 'rootCert Expired', () => above({ notAfter: NOW - 1000 }, { notAfter: NOW - 1000 })],
  ['a CA that outlives its root', 'caCert OutlivesIssuer', () => below({ notAfter: NOW + 3651 * DAY_MS })],
]

describe('a bundle that istiod could not take, or that would break handshakes, is refused with its code', () => {
  it.each([...TEXTS, ...KEYS, ...CHAINS, ...CAS])('%s: %s', async (_, expected, make) => {
    const found = checkBundle(await make(), RULES)
    expect(found.map(({ code, part }) => `${part} ${code}`)).toContain(expected)
    // Each case is bad in one way; what follows from it is of the same part, or of the chain.
    for (const { message } of found) expect(message).toMatch(/^\S.*[.]$/)
  })

  it('a CA that ends too soon', async () => {
    const bundle = await below({ notAfter: NOW + 2 * DAY_MS })
    expect(codes(bundle, { minimumLifetimeMs: 2 * DAY_MS })).toEqual([])
    expect(codes(bundle, { minimumLifetimeMs: 2 * DAY_MS + 1000 })).toEqual(['caCert EndsTooSoon'])
  })

  it('roots that a running istiod would not take', () => {
    const both = root.cert + other.cert
    expect(codes(good, { heldRoots: other.cert })).toEqual(['rootCert RootsNotTaken'])
    expect(codes({ ...good, rootCert: both }, { heldRoots: other.cert })).toEqual([])
    expect(codes(good, { heldRoots: both })).toEqual([])
  })

  it('two roots of one name that key identifiers do not tell apart', async () => {
    const [a, b] = [await makeCa({ subject: 'CN=Corp', keyIds: false }), await makeCa({ subject: 'CN=Corp' })]
    const wide = (one: MadeCa, other: MadeCa) => ({ ...good, rootCert: root.cert + one.cert + other.cert })
    expect(codes(wide(a, b), { heldRoots: root.cert + a.cert })).toEqual(['rootCert RootAmbiguous'])
    const told = [await makeCa({ subject: 'CN=Corp' }), await makeCa({ subject: 'CN=Corp' })] as const
    expect(codes(wide(...told), { heldRoots: root.cert })).toEqual([])
    expect(codes(bundleOf(await makeCa({}, told[0]), told[0]))).toEqual([])
    const unnamed = await makeCa({ keyIds: false }, told[1])
    const bundle = { ...bundleOf(unnamed, told[1]), rootCert: told[0].cert + told[1].cert }
    expect(codes(bundle)).toEqual(['certChain RootAmbiguous'])
  })

  it('but limits on other names than those of workloads are nothing to it', async () => {
    expect(codes(await below({ extensions: [permits(1, 'example.com')] }))).toEqual([])
  })

  it('but what the mesh holds already may have text between its blocks, and keys of old', async () => {
    const old = await makeCa({ key: rsa(1024), hash: 'SHA-1' })
    const heldRoots = `# made by hand\n${old.cert}# end\n`
    const wide = { ...good, rootCert: heldRoots + root.cert }
    expect(codes(wide).length).toBeGreaterThan(0)
    expect(codes(wide, { heldRoots })).toEqual([])
    expect(codes({ ...good, rootCert: `${heldRoots}# new\n${root.cert}` }, { heldRoots })).toEqual([
      'rootCert TextOutside',
    ])
    expect(codes(good, { heldRoots: wide.rootCert })).toEqual([])
  })

  it('and nothing of the key is told', async () => {
    const secret = readPem(ca.key).blocks[0]?.der ?? new Uint8Array()
    const marks = [Buffer.from(secret.subarray(40, 64)).toString('base64').slice(0, 24), 'PRIVATE KEY-----']
    for (const [, , make] of [...TEXTS, ...KEYS]) {
      const told = JSON.stringify(checkBundle(await make(), RULES))
      expect(marks.filter((mark) => told.includes(mark))).toEqual([])
    }
  })

  it('whatever the texts are, an answer comes', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '-----BEGIN CERTIFICATE-----',
        '-----END CERTIFICATE-----',
        '\n',
        '-----BEGIN PRIVATE KEY-----',
        '-----END PRIVATE KEY-----',
        '-----',
        ecParameters,
      ),
      fc.base64String({ maxLength: 40 }),
      fc.string({ maxLength: 8 }),
    )
    const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''))
    const changed = (whole: string) =>
      fc
        .tuple(fc.nat(whole.length - 1), fc.string({ maxLength: 3 }))
        .map(([at, put]) => whole.slice(0, at) + put + whole.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(text, changed(ca.cert)), fc.oneof(text, changed(ca.key)), (cert, key) => {
        expect(checkBundle({ rootCert: cert, caCert: cert, certChain: cert, caKey: key }, RULES)).not.toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

/** One byte more inside the block. */
function withTail(pem: string): string {
  const [block] = readPem(pem).blocks
  return pemOf(block?.label ?? '', Buffer.concat([block?.der ?? Buffer.alloc(0), Buffer.from([0])]))
}

function encrypted(pem: string, type: 'pkcs8' | 'sec1'): string {
  return String(createPrivateKey(pem).export({ format: 'pem', type, cipher: 'aes-256-cbc', passphrase: 'p' }))
}

/** A CA whose last byte of signature is another. */
function forged(): CaBundle {
  const der = Buffer.from(readPem(ca.cert).blocks[0]?.der ?? [])
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
  const cert = pemOf('CERTIFICATE', der)
  return { ...good, caCert: cert, certChain: cert }
}
