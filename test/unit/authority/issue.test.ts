import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate } from '@peculiar/asn1-x509'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { type CaKey, type CaKeyKind, makeCaKey } from '../../../src/authority/ca-key.ts'
import { checkReply } from '../../../src/authority/check-reply.ts'
import { type Issued, issueIntermediate, issueRoot, type Terms } from '../../../src/authority/issue.ts'
import { pemOf, readPem } from '../../../src/authority/pem.ts'
import { readRequest, requestIntermediate } from '../../../src/authority/request.ts'
import { localSigner, type Signer } from '../../../src/authority/signature.ts'
import { bundleOf, DAY_MS, makeCa, NOW } from './ca-maker.ts'
import { HAS_OPENSSL, openssl, verifyStrictly } from './openssl.ts'

const NAME = { organization: 'Müller & Söhne', commonName: 'Mesh root A' }
const LOW = { organization: 'Müller & Söhne', commonName: 'Mesh CA east' }
const SERIAL = new Uint8Array(16).map((_, at) => at * 16 + 128)
const ROOT_TERMS: Terms = { notBefore: NOW - DAY_MS, notAfter: NOW + 3650 * DAY_MS, serial: SERIAL }
const TERMS: Terms = { notBefore: NOW - 60_000, notAfter: NOW + 90 * DAY_MS, serial: new Uint8Array(16) }
const KINDS: readonly CaKeyKind[] = [
  { type: 'EC', curve: 'P-384' },
  { type: 'EC', curve: 'P-256' },
  { type: 'RSA', size: 2048 },
]

function unwrap(issued: Issued): string {
  if (!issued.ok) throw new Error(issued.message)
  return issued.value
}

const derOf = (pem: string) => readPem(pem).blocks[0]?.der ?? new Uint8Array()
const keyOf = (spki: Uint8Array): KeyObject => createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })

describe.each(KINDS)('a CA of $type $curve$size', (kind) => {
  let rootKey: CaKey
  let lowKey: CaKey
  let root: string
  let low: string
  let request: string
  beforeAll(async () => {
    rootKey = await makeCaKey(kind)
    lowKey = await makeCaKey(kind)
    root = unwrap(await issueRoot(NAME, rootKey.publicKey, ROOT_TERMS, localSigner(rootKey.pem)))
    request = await requestIntermediate(LOW, lowKey.publicKey, localSigner(lowKey.pem))
    low = unwrap(await issueIntermediate({ request }, root, TERMS, localSigner(rootKey.pem)))
  })

  it('is a bundle that may be written', () => {
    const bundle = { rootCert: root, caCert: low, certChain: low, caKey: lowKey.pem }
    expect(checkBundle(bundle, { now: NOW, minimumLifetimeMs: 89 * DAY_MS })).toEqual([])
  })

  it('is read by Node: names, times, serial, keys, signatures', () => {
    const [above, below] = [new X509Certificate(root), new X509Certificate(low)]
    expect(above.subject).toBe('O=Müller & Söhne\nCN=Mesh root A')
    expect([above.issuer, below.issuer]).toEqual([above.subject, above.subject])
    expect(below.subject).toBe('O=Müller & Söhne\nCN=Mesh CA east')
    expect([above.ca, below.ca]).toEqual([true, true])
    expect(above.verify(above.publicKey) && below.verify(above.publicKey)).toBe(true)
    expect(below.checkIssued(above) && below.checkPrivateKey(createPrivateKey(lowKey.pem))).toBe(true)
    expect(above.publicKey.equals(keyOf(rootKey.publicKey))).toBe(true)
    expect(Date.parse(below.validFrom)).toBe(NOW - 60_000)
    expect(Date.parse(below.validTo)).toBe(NOW + 90 * DAY_MS)
    expect(above.serialNumber).toBe('4090A0B0C0D0E0F00010203040506070')
    expect(below.serialNumber).toBe(`40${'00'.repeat(15)}`)
  })

  it('has extensions of its own making only, in the form that RFC 5280 asks for', () => {
    const extensionsOf = (pem: string) =>
      (AsnConvert.parse(derOf(pem), Certificate).tbsCertificate.extensions ?? []).map(
        ({ extnID, critical, extnValue }) => `${extnID} ${critical} ${Buffer.from(extnValue.buffer).toString('hex')}`,
      )
    const id = '[0-9a-f]{40}'
    expect(extensionsOf(low)).toEqual([
      '2.5.29.19 true 30060101ff020100',
      '2.5.29.15 true 03020106',
      expect.stringMatching(`^2.5.29.14 false 0414${id}$`),
      expect.stringMatching(`^2.5.29.35 false 30168014${id}$`),
    ])
    expect(extensionsOf(root)[0]).toBe('2.5.29.19 true 30060101ff020101')
    expect(extensionsOf(low)[3]?.slice(-40)).toBe(extensionsOf(root)[2]?.slice(-40))
  })

  it('is the same for a key without a request', async () => {
    const of = { name: LOW, publicKey: lowKey.publicKey }
    const made = unwrap(await issueIntermediate(of, root, TERMS, localSigner(rootKey.pem)))
    expect(new X509Certificate(made).subject).toBe(new X509Certificate(low).subject)
    expect(new X509Certificate(made).checkPrivateKey(createPrivateKey(lowKey.pem))).toBe(true)
  })

  it('is the answer to its request, and to no other', async () => {
    const other = await makeCaKey(kind)
    const otherRequest = await requestIntermediate(LOW, other.publicKey, localSigner(other.pem))
    const codes = (asked: string, chain: string, rules = {}) =>
      checkReply(asked, chain, { now: NOW, ...rules }).map(({ code }) => code)
    expect(codes(request, low + root)).toEqual([])
    expect(codes(request, low, { roots: root })).toEqual([])
    expect(codes(request, low)).toEqual(['ChainUnrooted'])
    expect(codes(request, low + root, { roots: (await makeCa()).cert })).toEqual(['ChainUnrooted'])
    expect(codes(otherRequest, low + root)).toEqual(['KeyMismatch'])
    expect(codes(request, root + low)).toContain('KeyMismatch')
    expect(codes('no request', low + root)).toEqual(['RequestUnreadable'])
    expect(codes(request, '')).toEqual(['Empty'])
    expect(codes(request, low + root, { now: NOW + 91 * DAY_MS })).toEqual(['Expired'])
  })

  it.runIf(HAS_OPENSSL)(
    'is verified by OpenSSL, strictly, with a leaf below it; and no CA may be below it',
    async () => {
      const leafKey = await makeCaKey(kind)
      const files = { 'low.pem': low, 'low.key': lowKey.pem, 'leaf.key': leafKey.pem, 'ext.cnf': LEAF_EXTENSIONS }
      const made = (name: string, section: string, [cert, key]: readonly string[], more = {}) => {
        const by = ['-CA', cert ?? '', '-CAkey', key ?? '', '-days', '20000', '-sha384']
        const what = ['-key', 'leaf.key', '-subj', `/CN=${name}`, '-config', 'ext.cnf', '-extensions', section]
        return openssl(['req', '-x509', '-new', ...by, ...what], { ...files, ...more })
      }
      const at = NOW
      const leaf = made('leaf', 'leaf', ['low.pem', 'low.key'])
      expect(verifyStrictly(root, { roots: root, at })).toBe('OK')
      expect(verifyStrictly(low, { roots: root, at })).toBe('OK')
      expect(verifyStrictly(leaf, { roots: root, chain: low, at })).toBe('OK')
      expect(verifyStrictly(leaf, { roots: root, at })).toContain('unable to get local issuer')
      const third = made('third', 'ca', ['low.pem', 'low.key'])
      const below = made('below', 'leaf', ['third.pem', 'leaf.key'], { 'third.pem': third })
      expect(verifyStrictly(below, { roots: root, chain: low + third, at })).toContain(
        'path length constraint exceeded',
      )
      expect(openssl(['req', '-verify', '-noout', '-in', 'r.pem', '-text'], { 'r.pem': request })).toContain(
        'CA:TRUE, pathlen:0',
      )
    },
  )
})

const LEAF_EXTENSIONS = `[req]
distinguished_name = dn
prompt = no
[dn]
CN = leaf
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
subjectAltName = URI:spiffe://cluster.local/ns/shop/sa/web
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
`

describe('an intermediate is refused', () => {
  let key: CaKey
  let signer: Signer
  let root: string
  beforeAll(async () => {
    key = await makeCaKey({ type: 'EC', curve: 'P-384' })
    signer = localSigner(key.pem)
    root = unwrap(await issueRoot(NAME, key.publicKey, ROOT_TERMS, signer))
  })
  const of = () => ({ name: LOW, publicKey: key.publicKey })

  it('where it would outlast its root, or end before it begins', async () => {
    const late = { ...TERMS, notAfter: ROOT_TERMS.notAfter + 1000 }
    expect(await issueIntermediate(of(), root, late, signer)).toMatchObject({ reason: 'Validity' })
    const never = { ...TERMS, notAfter: TERMS.notBefore }
    expect(await issueIntermediate(of(), root, never, signer)).toMatchObject({ reason: 'Validity' })
  })

  it('below what may have none, or is no CA', async () => {
    const low = unwrap(await issueIntermediate(of(), root, TERMS, signer))
    const leaf = (await makeCa({ ca: false, pathLength: null })).cert
    for (const issuer of [low, leaf, 'no certificate'])
      expect(await issueIntermediate(of(), issuer, TERMS, signer)).toMatchObject({ reason: 'IssuerUnfit' })
  })

  it('for a request that its key did not sign', async () => {
    const other = await makeCaKey({ type: 'EC', curve: 'P-384' })
    const request = await requestIntermediate(LOW, key.publicKey, localSigner(other.pem))
    expect(readRequest(request)).toBeUndefined()
    for (const bad of [request, root, ''])
      expect(await issueIntermediate({ request: bad }, root, TERMS, signer)).toMatchObject({
        reason: 'RequestUnreadable',
      })
  })

  it.runIf(HAS_OPENSSL)(
    'for a key of another kind; and of what a request asks, nothing but name and key is taken',
    async () => {
      const config = `[req]\ndistinguished_name = dn\nprompt = no\nreq_extensions = e\n[dn]\nCN = asked\n[e]\nbasicConstraints = critical,CA:TRUE,pathlen:9\nsubjectAltName = DNS:evil.example.com\n`
      const asked = (...args: string[]) =>
        openssl(['req', '-new', '-nodes', '-keyout', 'k', '-config', 'c', '-newkey', ...args], { c: config })
      const ed = await issueIntermediate({ request: asked('ed25519') }, root, TERMS, signer)
      expect(ed).toMatchObject({ reason: 'RequestUnreadable' })
      expect(await issueIntermediate({ request: asked('rsa:1024') }, root, TERMS, signer)).toMatchObject({
        reason: 'KeyAlgorithm',
      })
      const made = unwrap(await issueIntermediate({ request: asked('rsa:2048') }, root, TERMS, signer))
      const text = openssl(['x509', '-noout', '-text', '-in', 'c'], { c: made })
      expect(text).toContain('CA:TRUE, pathlen:0')
      expect(text).toContain('Subject: CN = asked')
      expect(text).not.toContain('evil')
    },
  )

  it('where what comes back is no signature of the root’s key', async () => {
    const other = localSigner((await makeCaKey({ type: 'EC', curve: 'P-384' })).pem)
    const lying: Signer = { algorithm: 'ES384', sign: async () => new Uint8Array(96).fill(7) }
    for (const bad of [other, lying])
      expect(await issueIntermediate(of(), root, TERMS, bad)).toMatchObject({ reason: 'SignatureWrong' })
    const short: Signer = { algorithm: 'ES384', sign: async () => new Uint8Array(95) }
    await expect(issueIntermediate(of(), root, TERMS, short)).rejects.toThrow('96 bytes')
  })

  it('and a name that X.520 does not allow is told', async () => {
    for (const commonName of ['', 'x'.repeat(65)])
      await expect(issueRoot({ commonName }, key.publicKey, ROOT_TERMS, signer)).rejects.toThrow('64')
    await expect(issueRoot(NAME, key.publicKey, { ...ROOT_TERMS, serial: new Uint8Array(8) }, signer)).rejects.toThrow(
      '16',
    )
  })
})

it('a subject that another CA wrote in its own way is taken over byte by byte', async () => {
  const ca = await makeCa({ subject: 'C=DE, O=Shop, CN=Root' })
  const signer = localSigner(ca.key)
  const low = await makeCaKey({ type: 'EC', curve: 'P-384' })
  const made = unwrap(await issueIntermediate({ name: LOW, publicKey: low.publicKey }, ca.cert, TERMS, signer))
  expect(checkBundle({ ...bundleOf(ca), caCert: made, certChain: made, caKey: low.pem }, { now: NOW })).toEqual([])
  expect(pemOf('CERTIFICATE', derOf(made))).toBe(made)
})
