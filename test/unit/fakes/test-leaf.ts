import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DATES = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2036-01-01T00:00:00Z') }

/** An intermediate that signs workloads. */
export interface TestSigner {
  readonly caCert: string
  /** PEM of a leaf with these names. `key`: PEM of its key. */
  leaf(...uris: readonly string[]): Promise<{ readonly cert: string; readonly key: string }>
}

/** A signer of its own key; two of one name are told apart by their signatures alone. */
export async function testSigner(name: string, serialNumber: string): Promise<TestSigner> {
  const keys = await newKeys()
  const subject = `CN=${name}, O=mesh`
  const own = await X509CertificateGenerator.createSelfSigned({
    ...{ name: subject, serialNumber, keys, signingAlgorithm: ALGORITHM, ...DATES },
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  })
  return {
    caCert: pemOf(own),
    async leaf(...uris) {
      const leafKeys = await newKeys()
      const names = uris.map((value) => ({ type: 'url', value }) as const)
      const leaf = await X509CertificateGenerator.create({
        ...{ issuer: subject, publicKey: leafKeys.publicKey, signingKey: keys.privateKey },
        ...{ signingAlgorithm: ALGORITHM, ...DATES },
        extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names, true)],
      })
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey)).toString('base64')
      return { cert: pemOf(leaf), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` }
    },
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

function pemOf(made: X509Certificate): string {
  return `${made.toString('pem').trim()}\n`
}
