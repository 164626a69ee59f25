import { createPrivateKey } from 'node:crypto'
import { certificatesIn, fingerprintOf, rootOf } from '../certificates.ts'

/** What an identity controller signs with, without the key. Fingerprints are SHA-256 of the DER, lower-case hex. */
export interface Issuer {
  readonly fingerprint: string
  /** PEM of the issuer and what is above it: what comes with every leaf. */
  readonly chain: string
  /** Epoch milliseconds: its own end, and the first end of the chain, which no leaf outlives. */
  readonly notAfter: number
  readonly firstNotAfter: number
}

export type ReadIssuer = { readonly ok: true; readonly issuer: Issuer } | { readonly ok: false; readonly why: string }

/** The two texts of an issuer's Secret. */
export interface IssuerTexts {
  readonly certificate: string
  readonly key: string
}

/**
 * What the identity controller checks of an issuer before it signs with it (`pkg/tls/cred.go`, `pkg/identity/service.go`): the
 * key can be read and is the certificate's, that chains to one of the anchors, and is a CA. `now` is epoch milliseconds.
 */
export function readIssuer({ certificate, key }: IssuerTexts, anchors: string, now: number): ReadIssuer {
  const privateKey = readKey(key)
  if (!privateKey) return refuse('failed to read CA from disk: not PEM-encoded')
  const [issuer, ...chain] = certificatesIn(certificate)
  if (!issuer) return refuse('failed to read CA from disk: No certificates found')
  if (!issuer.checkPrivateKey(privateKey))
    return refuse('failed to read CA from disk: tls: Public and private key do not match')
  const isOver = [issuer, ...chain].some(({ validTo }) => Date.parse(validTo) <= now)
  const words = isOver
    ? 'x509: certificate has expired or is not yet valid'
    : 'x509: certificate signed by unknown authority'
  // Without being a CA it could be verified all the same: other words, same end.
  if (!issuer.ca) return refuse('failed to verify issuer certificate: it must be an intermediate-CA, but it is not')
  if (!rootOf(issuer, chain, certificatesIn(anchors), now)) {
    const name = "'identity.linkerd.cluster.local'"
    return refuse(`failed to verify issuer credentials for ${name} with trust anchors: ${words}`)
  }
  const ends = [issuer, ...chain].map(({ validTo }) => Date.parse(validTo))
  const texts = [issuer, ...chain].map((one) => one.toString()).join('')
  return {
    ok: true,
    issuer: {
      fingerprint: fingerprintOf(issuer),
      chain: texts,
      notAfter: ends[0] ?? 0,
      firstNotAfter: Math.min(...ends),
    },
  }
}

/** Whether anchors verify what a chain has signed. */
export function verifies(anchors: string, chain: string, now: number): boolean {
  const [issuer, ...above] = certificatesIn(chain)
  return issuer !== undefined && rootOf(issuer, above, certificatesIn(anchors), now) !== undefined
}

function refuse(why: string): ReadIssuer {
  return { ok: false, why }
}

/** Only the first block is looked at, as Linkerd does. */
function readKey(pem: string) {
  const [block, label = ''] = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/.exec(pem) ?? []
  if (block === undefined || !['EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PRIVATE KEY'].includes(label)) return undefined
  try {
    return createPrivateKey(block)
  } catch {
    return undefined
  }
}
