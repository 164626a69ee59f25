import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** How an intermediate is made; what is left out is as it should be. */
export interface Signing {
  /** The key of another takes the place of the request's. */
  readonly otherKey?: boolean
  /** It ended so long ago, in milliseconds. */
  readonly expiredMs?: number
  /** Its issuer allows none below it. */
  readonly tooDeep?: boolean
}

/** A company's own CA, outside of Azure. */
export interface OutsideCa {
  /** PEM. */
  readonly root: string
  /** What it makes of a CSR: PEM, the intermediate first. */
  sign(csr: string, how?: Signing): Promise<string>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const
const DAY_MS = 86_400_000

export async function outsideCa(name: string): Promise<OutsideCa> {
  const keys = await newKeys()
  const subject = `CN=${name}, O=outside`
  const root = await X509CertificateGenerator.createSelfSigned({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
    ...dates(3650 * DAY_MS),
    extensions: await extensionsOf(keys.publicKey, keys.publicKey, 1),
  })
  /** `pathLength`: how many CAs it allows below itself. */
  const make = (publicKey: webcrypto.CryptoKey, signer: webcrypto.CryptoKeyPair, issuer: string, more: Made) =>
    certificate({ publicKey, signer, issuer, ...more })
  return {
    root: pemOf(root),
    async sign(csr, { otherKey = false, expiredMs, tooDeep = false } = {}) {
      const request = new Pkcs10CertificateRequest(csr)
      const wanted = otherKey ? (await newKeys()).publicKey : await request.publicKey.export()
      const times = expiredMs === undefined ? dates(300 * DAY_MS) : dates(-expiredMs)
      if (!tooDeep) {
        const made = await make(wanted, keys, subject, { name: 'CN=intermediate, O=outside', pathLength: 0, ...times })
        return pemOf(made) + pemOf(root)
      }
      const middle = await newKeys()
      const between = { name: 'CN=middle, O=outside', pathLength: 0, ...dates(400 * DAY_MS) }
      const above = await make(middle.publicKey, keys, subject, between)
      const made = await make(wanted, middle, between.name, { name: 'CN=deep, O=outside', pathLength: 0, ...times })
      return pemOf(made) + pemOf(above) + pemOf(root)
    },
  }
}

interface Made {
  readonly name: string
  readonly pathLength: number
  readonly notBefore: Date
  readonly notAfter: Date
}

async function certificate(
  of: Made & {
    readonly publicKey: webcrypto.CryptoKey
    readonly signer: webcrypto.CryptoKeyPair
    readonly issuer: string
  },
): Promise<X509Certificate> {
  const { name, pathLength, notBefore, notAfter, publicKey, signer, issuer } = of
  return X509CertificateGenerator.create({
    subject: name,
    issuer,
    publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: await extensionsOf(publicKey, signer.publicKey, pathLength),
  })
}

async function extensionsOf(own: webcrypto.CryptoKey, signer: webcrypto.CryptoKey, pathLength: number) {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(own),
    await AuthorityKeyIdentifierExtension.create(signer),
  ]
}

/** From two days ago on, so long; what is negative has ended. */
function dates(lifetimeMs: number) {
  return { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() + lifetimeMs) }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

function pemOf(made: X509Certificate): string {
  return `${made.toString('pem').trim()}\n`
}
