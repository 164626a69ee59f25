import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { type CertificateTarget, serialText } from '../../model/certificate.ts'
import type { VaultSecret } from '../../ports/vault.ts'

/** What a TLS Secret holds. */
export interface KeyPair {
  /** PEM: the leaf, then each certificate's issuer. */
  readonly chain: string
  /** PEM, as the vault gave it. */
  readonly key: string
}

/** Why something is not done, for machines and for people. Never holds a part of a key. */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g
const KEY_LABELS = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']

/**
 * The key and chain of a vault's secret, if it may be served: PEM, one key, a leaf that the key belongs to, with the wanted
 * serial and valid at `now` (epoch milliseconds), and nothing but its chain beside it. The chain is put in order: vaults
 * keep it as it was imported.
 */
export function readKeyPair(
  secret: VaultSecret,
  wanted: CertificateTarget,
  now: number,
): { readonly ok: true; readonly value: KeyPair } | { readonly ok: false; readonly refusal: Refusal } {
  const blocks = [...secret.value.matchAll(BLOCK)].map(([text, label = '']) => ({ text, label }))
  if (secret.contentType === 'application/x-pkcs12' || blocks.length === 0) {
    return refuse(
      'NotPem',
      'The vault keeps this certificate as PKCS #12. Set the content type of its policy to application/x-pem-file and rotate it.',
    )
  }
  const [key, ...otherKeys] = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!key) return refuse('KeyMissing', 'The vault gives no private key: its policy must make it exportable.')
  if (otherKeys.length > 0) return refuse('KeyAmbiguous', 'The vault gives more than one private key.')
  const privateKey = KEY_LABELS.includes(key.label) ? parseKey(key.text) : undefined
  if (!privateKey)
    return refuse('KeyUnreadable', 'The private key is encrypted or of a form that gateways cannot read.')
  const certificates = parseCertificates(blocks.filter(({ label }) => label === 'CERTIFICATE'))
  if (!certificates) return refuse('CertificateUnreadable', 'The vault gives a certificate that is not X.509.')
  const leaf = certificates.find((one) => one.checkPrivateKey(privateKey))
  if (!leaf) return refuse('KeyMismatch', 'The private key belongs to none of the certificates that the vault gives.')
  const refusal = judgeLeaf(leaf, wanted, now)
  if (refusal) return { ok: false, refusal }
  const chain = orderChain(leaf, certificates)
  if (chain.length < certificates.length) {
    return refuse('ChainBroken', 'The vault gives certificates that are no part of the chain.')
  }
  return { ok: true, value: { chain: chain.map((one) => one.toString()).join(''), key: `${key.text}\n` } }
}

/** The serial of the first certificate of a PEM text; undefined when there is none that can be read. */
export function leafOf(pem: string): { readonly serial: string; readonly notAfterMs: number } | undefined {
  try {
    const leaf = new X509Certificate(pem)
    return { serial: serialText(leaf.serialNumber), notAfterMs: Date.parse(leaf.validTo) }
  } catch {
    return undefined
  }
}

function judgeLeaf(leaf: X509Certificate, wanted: CertificateTarget, now: number): Refusal | undefined {
  const serial = serialText(leaf.serialNumber)
  if (serial !== wanted.serial) {
    const message = `Version ${wanted.version} in the vault has serial ${serial}, not ${wanted.serial}.`
    return { reason: 'SerialMismatch', message }
  }
  if (Date.parse(leaf.validTo) <= now) return { reason: 'Expired', message: `Serial ${serial} has expired.` }
  if (Date.parse(leaf.validFrom) > now) return { reason: 'NotYetValid', message: `Serial ${serial} is not valid yet.` }
  return undefined
}

/** From the leaf up, each issuer once. */
function orderChain(leaf: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [leaf]
  for (let last: X509Certificate | undefined = leaf; last; ) {
    const below: X509Certificate = last
    last = all.find((one) => !chain.includes(one) && below.checkIssued(one) && below.verify(one.publicKey))
    if (last) chain.push(last)
  }
  return chain
}

/** OpenSSL's own words could hold parts of its input: they go no further. */
function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function parseCertificates(blocks: readonly { readonly text: string }[]): readonly X509Certificate[] | undefined {
  try {
    return blocks.map(({ text }) => new X509Certificate(text))
  } catch {
    return undefined
  }
}

function refuse(reason: string, message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { reason, message } }
}
