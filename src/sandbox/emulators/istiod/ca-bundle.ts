import { createPrivateKey } from 'node:crypto'
import { certificatesIn, fingerprintOf, rootOf } from '../certificates.ts'

/** The four texts that istiod reads from its folder. */
export interface CaTexts {
  readonly rootCert: string
  readonly caCert: string
  readonly certChain: string
  readonly caKey: string
}

/** What istiod signs with and gives out, without the key. Fingerprints are SHA-256 of the DER, lower-case hex. */
export interface CaBundle {
  /** The roots as they were given, byte for byte. */
  readonly rootCert: string
  readonly roots: readonly string[]
  readonly signer: { readonly fingerprint: string; readonly notAfter: number }
  /** The root that the signer chains to. */
  readonly root: string
  /** Epoch milliseconds: the end of the first root. */
  readonly rootNotAfter: number
}

export type ReadBundle = { readonly ok: true; readonly bundle: CaBundle } | { readonly ok: false; readonly why: string }

const KEY_LABELS = ['EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PRIVATE KEY']

/**
 * What istiod checks of a plug-in CA before it takes it: the key's first block can be read and belongs to the certificate,
 * and that chains to one of the roots (`security/pkg/pki/util/keycertbundle.go`). `now` is epoch milliseconds.
 */
export function readBundle({ rootCert, caCert, certChain, caKey }: CaTexts, now: number): ReadBundle {
  const [roots, chain] = [certificatesIn(rootCert), certificatesIn(certChain)]
  const [signer] = certificatesIn(caCert)
  const [first] = roots
  if (!signer || !first) return refuse('failed to parse the CA certificate or its roots')
  const key = readKey(caKey)
  if (!key) return refuse('failed to parse the private key')
  if (!signer.checkPrivateKey(key)) return refuse('the private key does not match the certificate')
  const root = rootOf(signer, chain, roots, now)
  if (!root) return refuse('cannot verify the cert with the provided root chain and cert pool')
  return {
    ok: true,
    bundle: {
      rootCert,
      roots: roots.map(fingerprintOf),
      signer: { fingerprint: fingerprintOf(signer), notAfter: Date.parse(signer.validTo) },
      root: fingerprintOf(root),
      rootNotAfter: Date.parse(first.validTo),
    },
  }
}

/**
 * Whether istiod takes other roots while it runs: one text must contain the other. Versions from 1.30 on compare
 * certificates; those before are stricter, so what passes here passes everywhere.
 */
export function mayReplaceRoots(held: string, next: string): boolean {
  return next.includes(held) || held.includes(next)
}

function refuse(why: string): ReadBundle {
  return { ok: false, why }
}

/** Only the first block is looked at, as istiod does. */
function readKey(pem: string) {
  const [block, label = ''] = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/.exec(pem) ?? []
  if (block === undefined || !KEY_LABELS.includes(label)) return undefined
  try {
    return createPrivateKey(block)
  } catch {
    return undefined
  }
}
