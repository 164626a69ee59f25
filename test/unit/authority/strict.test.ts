import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CaBundle, checkBundle } from '../../../src/authority/ca-bundle.ts'
import { type CaKey, type CaKeyKind, makeCaKey } from '../../../src/authority/ca-key.ts'
import { issueIntermediate, issueRoot } from '../../../src/authority/issue.ts'
import { localSigner } from '../../../src/authority/signature.ts'
import { bundleOf, DAY_MS, type MadeCa, makeCa, NOW } from './ca-maker.ts'
import { HAS_OPENSSL, verifyStrictly } from './openssl.ts'

const KINDS: readonly CaKeyKind[] = [
  { type: 'EC', curve: 'P-256' },
  { type: 'EC', curve: 'P-384' },
  { type: 'RSA', size: 2048 },
  { type: 'RSA', size: 4096 },
]
const terms = (days: number) => ({
  notBefore: NOW - DAY_MS,
  notAfter: NOW + days * DAY_MS,
  serial: new Uint8Array(16).fill(7),
})

describe('below a root of the vault, which is P-384', () => {
  let rootKey: CaKey
  let root: string
  beforeAll(async () => {
    rootKey = await makeCaKey({ type: 'EC', curve: 'P-384' })
    const issued = await issueRoot(
      { organization: 'east-ca', commonName: 'root' },
      rootKey.publicKey,
      terms(3650),
      localSigner(rootKey.pem),
    )
    root = issued.ok ? issued.value : ''
  })

  it.each(KINDS)(
    'an intermediate of $type $curve$size is taken by the product, Node and OpenSSL',
    { timeout: 120_000 },
    async (kind) => {
      const { pem: caKey, publicKey } = await makeCaKey(kind)
      const name = { organization: 'east-ca', commonName: 'CA' }
      const issued = await issueIntermediate({ name, publicKey }, root, terms(365), localSigner(rootKey.pem))
      const low = issued.ok ? issued.value : ''
      expect(checkBundle({ rootCert: root, caCert: low, certChain: low, caKey }, { now: NOW })).toEqual([])
      const [above, below] = [new X509Certificate(root), new X509Certificate(low)]
      expect(below.checkIssued(above) && below.verify(above.publicKey)).toBe(true)
      expect(below.checkPrivateKey(createPrivateKey(caKey)) && below.ca).toBe(true)
      if (HAS_OPENSSL) expect(verifyStrictly(low, { roots: root, at: NOW })).toBe('OK')
    },
  )
})

/** Each is wrong for OpenSSL too, in these words, and refused by the product with its code. */
const BAD: readonly (readonly [
  what: string,
  code: string,
  words: string,
  make: (root: MadeCa) => Promise<CaBundle & { readonly leaf?: string }>,
])[] = [
  [
    'that has ended',
    'Expired',
    'certificate has expired',
    async (root) => bundleOf(await makeCa({ notBefore: NOW - 9 * DAY_MS, notAfter: NOW - DAY_MS }, root), root),
  ],
  [
    'that is not valid yet',
    'NotYetValid',
    'certificate is not yet valid',
    async (root) => bundleOf(await makeCa({ notBefore: NOW + DAY_MS }, root), root),
  ],
  [
    'of another root of the same name',
    'ChainUnrooted',
    'unable to get local issuer certificate|certificate signature failure',
    async (root) => {
      const twin = await makeCa({ subject: root.subject })
      return { ...bundleOf(await makeCa({}, twin), twin), rootCert: root.cert }
    },
  ],
  [
    'below a CA that may have none below it',
    'PathLength',
    'path length constraint exceeded',
    async (root) => {
      const between = await makeCa({ pathLength: 0 }, root)
      const low = await makeCa({}, between)
      return {
        ...bundleOf(low, between, root),
        leaf: (await makeCa({ ca: false, usage: null, pathLength: null }, low)).cert,
      }
    },
  ],
  [
    'below what is no CA',
    'NotCa',
    'invalid CA certificate|CA cert does not',
    async (root) => {
      const leaf = await makeCa({ ca: false, usage: null }, root)
      return bundleOf(await makeCa({}, leaf), leaf, root)
    },
  ],
]

describe.runIf(HAS_OPENSSL)('an intermediate', () => {
  it.each(BAD)('%s is refused by the product and by OpenSSL', async (_, code, words, make) => {
    const { leaf, ...bundle } = await make(await makeCa({ pathLength: 2 }))
    expect(checkBundle(bundle, { now: NOW }).map((problem) => problem.code)).toContain(code)
    expect(verifyStrictly(leaf ?? bundle.caCert, { roots: bundle.rootCert, chain: bundle.certChain, at: NOW })).toMatch(
      new RegExp(words),
    )
  })
})
