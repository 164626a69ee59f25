import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { type CaKey, makeCaKey } from '../../../src/authority/ca-key.ts'
import { checkReply } from '../../../src/authority/check-reply.ts'
import { type Issued, issueIntermediate, issueRoot, type Terms } from '../../../src/authority/issue.ts'
import { requestIntermediate } from '../../../src/authority/request.ts'
import { checkRoot } from '../../../src/authority/root-texts.ts'
import { localSigner } from '../../../src/authority/signature.ts'
import { bundleOf, DAY_MS, type How, makeCa, NOW, rsa } from './ca-maker.ts'
import { HAS_OPENSSL, openssl, verifyStrictly } from './openssl.ts'

const HOST = 'identity.linkerd.cluster.local'
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
const RULES = { now: NOW, purpose: 'linkerd-identity' } as const
const ROOT_TERMS: Terms = { notBefore: NOW - DAY_MS, notAfter: NOW + 3650 * DAY_MS, serial: new Uint8Array(16).fill(1) }
const TERMS: Terms = { notBefore: NOW - 60_000, notAfter: NOW + 90 * DAY_MS, serial: new Uint8Array(16).fill(2) }

function unwrap(issued: Issued): string {
  if (!issued.ok) throw new Error(issued.message)
  return issued.value
}

describe('an issuer of Linkerd', () => {
  let rootKey: CaKey
  let key: CaKey
  let root: string
  let issuer: string
  let request: string
  beforeAll(async () => {
    rootKey = await makeCaKey({ type: 'EC', curve: 'P-256' })
    key = await makeCaKey({ type: 'EC', curve: 'P-256' })
    const signer = localSigner(rootKey.pem)
    root = unwrap(
      await issueRoot({ commonName: 'root.linkerd.cluster.local r1' }, rootKey.publicKey, ROOT_TERMS, signer),
    )
    const subject = { name: { commonName: HOST }, publicKey: key.publicKey, dnsNames: [HOST] }
    issuer = unwrap(await issueIntermediate(subject, root, TERMS, signer))
    request = await requestIntermediate({ commonName: HOST }, key.publicKey, localSigner(key.pem), [HOST])
  })

  it('is a CA of path length 0 on P-256, signed with SHA-256, that bears the name that Linkerd looks for', () => {
    const made = new X509Certificate(issuer)
    expect([made.subject, made.subjectAltName, made.ca]).toEqual([`CN=${HOST}`, `DNS:${HOST}`, true])
    const bundle = { rootCert: root, caCert: issuer, certChain: issuer, caKey: key.pem }
    expect(checkBundle(bundle, RULES)).toEqual([])
    expect(checkRoot(root, RULES)).toEqual([])
  })

  it.runIf(HAS_OPENSSL)(
    'is verified by OpenSSL, strictly, and so is a leaf below it, of the name that Linkerd gives',
    async () => {
      const config = `[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = web\n[leaf]\nbasicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = serverAuth,clientAuth\nsubjectAltName = DNS:web.shop.serviceaccount.${HOST}\nauthorityKeyIdentifier = keyid\nsubjectKeyIdentifier = hash\n`
      const files = {
        'i.pem': issuer,
        'i.key': key.pem,
        'l.key': (await makeCaKey({ type: 'EC', curve: 'P-256' })).pem,
        c: config,
      }
      const by = ['-CA', 'i.pem', '-CAkey', 'i.key', '-days', '20000', '-sha256']
      const what = ['-key', 'l.key', '-subj', '/CN=web', '-config', 'c', '-extensions', 'leaf']
      const leaf = openssl(['req', '-x509', '-new', ...by, ...what], files)
      expect(verifyStrictly(root, { roots: root, at: NOW })).toBe('OK')
      expect(verifyStrictly(issuer, { roots: root, at: NOW })).toBe('OK')
      expect(verifyStrictly(leaf, { roots: root, chain: issuer, at: NOW })).toBe('OK')
      const text = openssl(['x509', '-noout', '-text', '-in', 'i.pem'], files)
      expect(text).toContain('CA:TRUE, pathlen:0')
      expect(text).toContain('ecdsa-with-SHA256')
      expect(text).toContain(`DNS:${HOST}`)
      expect(text).toContain('ASN1 OID: prime256v1')
      const asked = openssl(['req', '-verify', '-noout', '-in', 'r.pem', '-text'], { 'r.pem': request })
      expect(asked).toContain(`DNS:${HOST}`)
      expect(asked).toContain('CA:TRUE, pathlen:0')
    },
  )

  it('is the answer of another CA to its request, where that keeps to the rules of Linkerd', async () => {
    expect(checkReply(request, issuer, { ...RULES, roots: root })).toEqual([])
    const wide = await makeCa({ subject: 'CN=Company' })
    const reply = unwrap(await issueIntermediate({ request }, wide.cert, TERMS, localSigner(wide.key)))
    expect(checkReply(request, reply, { now: NOW, roots: wide.cert })).toEqual([])
    const codes = checkReply(request, reply, { ...RULES, roots: wide.cert }).map(({ code }) => code)
    expect(codes).toEqual(['SignatureAlgorithm'])
    expect(checkRoot(wide.cert, RULES).map(({ code }) => code)).toEqual(['KeyAlgorithm'])
    expect(checkRoot(wide.cert, {})).toEqual([])
  })
})

describe('what Linkerd takes', () => {
  const good: How = { key: P256, hash: 'SHA-256' }
  it.each<[string, How, How, readonly string[]]>([
    ['P-256 under P-256', good, good, []],
    ['P-256 under RSA 2048', { key: rsa(2048), hash: 'SHA-256' }, good, []],
    ['P-256 under RSA 4096', { key: rsa(4096), hash: 'SHA-256' }, good, []],
    ['not P-256 under RSA 3072', { key: rsa(3072), hash: 'SHA-256' }, good, ['rootCert KeyAlgorithm']],
    ['not an issuer on P-384', good, { hash: 'SHA-256' }, ['caCert KeyAlgorithm']],
    ['not an issuer of RSA', good, { key: rsa(2048), hash: 'SHA-256' }, ['caCert KeyAlgorithm']],
    ['not an issuer signed with SHA-384', good, { key: P256, hash: 'SHA-384' }, ['caCert SignatureAlgorithm']],
    ['not an anchor signed with SHA-384', { key: P256, hash: 'SHA-384' }, good, ['rootCert SignatureAlgorithm']],
    [
      'not an RSA anchor signed with SHA-512',
      { key: rsa(2048), hash: 'SHA-512' },
      good,
      ['caCert SignatureAlgorithm', 'rootCert SignatureAlgorithm'],
    ],
    ['not an anchor on P-384', {}, good, ['rootCert KeyAlgorithm']],
  ])('%s', async (_, above, below, expected) => {
    const root = await makeCa({ ...above, ...(above.key?.name.startsWith('RSA') ? { key: rsaKey(above) } : {}) })
    const bundle = bundleOf(
      await makeCa({ ...below, ...(below.key?.name.startsWith('RSA') ? { key: rsaKey(below) } : {}) }, root),
      root,
    )
    const found = checkBundle(bundle, RULES).map(({ part, code }) => `${part} ${code}`)
    expect(found).toEqual(expected)
    expect(checkBundle(bundle, { now: NOW })).toEqual([])
  })

  it('finds no fault with an anchor that the mesh holds already', async () => {
    const root = await makeCa()
    const bundle = bundleOf(await makeCa(good, root), root)
    const held = checkBundle(bundle, { ...RULES, heldRoots: root.cert }).map(({ part, code }) => `${part} ${code}`)
    expect(held).toEqual([])
  })
})

/** WebCrypto binds a hash to RSA keys. */
function rsaKey({ key, hash = 'SHA-256' }: How): NonNullable<How['key']> {
  return { ...(key as ReturnType<typeof rsa>), hash }
}
