import 'reflect-metadata'
import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { CaBundle } from '../../../src/authority/ca-bundle.ts'
import { pemOf } from '../../../src/authority/pem.ts'

/** Certificates made by another library than the product's, good ones and bad ones. */

export const NOW = Date.UTC(2030, 0, 1)
export const DAY_MS = 86_400_000

export interface MadeCa {
  readonly subject: string
  /** PEM. */
  readonly cert: string
  readonly key: string
  readonly keys: webcrypto.CryptoKeyPair
  readonly how: How
}

/** What is asked of a certificate; all of it is well when left out. */
export interface How {
  readonly subject?: string
  readonly notBefore?: number
  readonly notAfter?: number
  /** False: no CA. */
  readonly ca?: boolean
  /** Null: no limit. */
  readonly pathLength?: number | null
  readonly isCritical?: boolean
  /** Null: no key usage. */
  readonly usage?: number | null
  readonly key?: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams
  readonly keys?: webcrypto.CryptoKeyPair
  readonly hash?: string
  readonly serial?: string
  readonly extensions?: readonly Extension[]
  /** False: without identifiers of keys. */
  readonly keyIds?: boolean
}

export const P384 = { name: 'ECDSA', namedCurve: 'P-384' }
const CA_USAGE = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
let count = 0

/** A CA signed by `issuer`, or by itself. */
export async function makeCa(how: How = {}, issuer?: MadeCa): Promise<MadeCa> {
  count += 1
  const { subject = `CN=CA ${count}`, hash = 'SHA-384', ca = true, isCritical = true } = how
  const { pathLength = issuer ? 0 : 1, usage = CA_USAGE, notAfter = NOW + (issuer ? 90 : 3650) * DAY_MS } = how
  const keys = how.keys ?? (await newKeys(how.key))
  const signer = issuer ?? { subject, keys }
  const { name } = signer.keys.privateKey.algorithm
  const constraints = new BasicConstraintsExtension(ca, pathLength ?? undefined, isCritical)
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: signer.subject,
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: { name, hash },
    serialNumber: how.serial ?? `51${count.toString(16).padStart(30, '0')}`,
    notBefore: new Date(how.notBefore ?? NOW - 30 * DAY_MS),
    notAfter: new Date(notAfter),
    extensions: [
      constraints,
      ...(usage === null ? [] : [new KeyUsagesExtension(usage, true)]),
      ...(how.keyIds === false
        ? []
        : [
            await SubjectKeyIdentifierExtension.create(keys.publicKey),
            await AuthorityKeyIdentifierExtension.create(signer.keys.publicKey),
          ]),
      ...(how.extensions ?? []),
    ],
  })
  const key = String(KeyObject.from(keys.privateKey).export({ format: 'pem', type: 'pkcs8' }))
  return { subject, cert: pemOf('CERTIFICATE', new Uint8Array(certificate.rawData)), key, keys, how }
}

export async function newKeys(key: How['key'] = P384): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(key, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}

export function rsa(bits: number): webcrypto.RsaHashedKeyGenParams {
  const publicExponent = new Uint8Array([1, 0, 1])
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: bits, publicExponent }
}

/** A bundle whose chain has the CA, then `above` from the nearest to the root, which is left out of the chain. */
export function bundleOf(ca: MadeCa, ...above: readonly MadeCa[]): CaBundle {
  const certs = [ca, ...above].map(({ cert }) => cert)
  return {
    rootCert: certs.at(-1) ?? '',
    caCert: ca.cert,
    certChain: certs.slice(0, Math.max(1, certs.length - 1)).join(''),
    caKey: ca.key,
  }
}

/** The key in another of PEM's forms. */
export function keyAs({ key }: MadeCa, type: 'sec1' | 'pkcs1'): string {
  return String(createPrivateKey(key).export({ format: 'pem', type }))
}

export function critical(id: string): Extension {
  return new Extension(id, true, new Uint8Array([5, 0]))
}

/** Name constraints that permit one kind of name: a GeneralName of `tag` (2: DNS, 4: directory, 6: URI) with that text. */
export function permits(tag: number, text: string): Extension {
  const name = Buffer.from(text)
  const wrap = (id: number, bytes: Uint8Array) => Buffer.from([id, bytes.length, ...bytes])
  return new Extension('2.5.29.30', true, wrap(0x30, wrap(0xa0, wrap(0x30, wrap(0x80 | tag, name)))))
}

export function usedFor(...ids: string[]): Extension {
  return new ExtendedKeyUsageExtension(ids)
}
