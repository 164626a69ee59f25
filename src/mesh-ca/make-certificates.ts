import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { rootsOf } from '../authority/trust.ts'
import type { CaRotation } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { CaCertificate, CaSet, MeshCaSpec } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'
import { PortError } from '../ports/port-error.ts'
import type { Random } from '../ports/random.ts'
import type { VaultKey, VaultKeys } from '../ports/vault-keys.ts'
import { rootName, signerName } from './ca-names.ts'
import { certificatesOf } from './certificate-texts.ts'
import { rootKeyName } from './deps.ts'

/** Clocks of proxies may be behind by this. */
const LEEWAY_MS = 10 * 60_000
const HOUR_S = 3600

/** What a rotation records of a root. */
export type MadeRoot = NonNullable<CaRotation['root']>

/** A certificate of a new root, signed by its own key in the vault. */
export async function makeRootCertificate(
  keys: VaultKeys,
  key: VaultKey,
  { name, spec }: Pick<MeshCaDocument, 'name' | 'spec'>,
  rotation: string,
  { now, random }: { readonly now: number; readonly random: Random },
): Promise<MadeRoot> {
  const [{ issueRoot }, { spkiOf }] = await Promise.all([
    import('../authority/issue.ts'),
    import('../authority/public-key.ts'),
  ])
  const validity = spec.root.kind === 'vault-key' ? spec.root.validity : '0s'
  const terms = { notBefore: now - LEEWAY_MS, notAfter: now + durationMs(validity), serial: serialOf(random) }
  const issued = await issueRoot(rootName(name, spec, rotation), spkiOf(key.jwk), terms, signerOf(keys, key))
  const pem = pemOf(issued)
  return { certificate: factsOf(pem), pem, keyId: key.id }
}

/** An intermediate below a root whose key is in the vault; its own key is made in memory. The key is a secret. */
export async function makeIntermediate(
  keys: VaultKeys,
  root: { readonly pem: string; readonly key: VaultKey },
  { name, spec }: Pick<MeshCaDocument, 'name' | 'spec'>,
  rotation: string,
  { now, random }: { readonly now: number; readonly random: Random },
): Promise<{ readonly caCert: string; readonly caKey: string }> {
  const [{ issueIntermediate }, { makeCaKey }] = await Promise.all([
    import('../authority/issue.ts'),
    import('../authority/ca-key.ts'),
  ])
  const key = await makeCaKey(keyKind(spec))
  // No two signers below one root end in the same second: by its end the mesh's metrics tell which one signs.
  const rootEnd = Date.parse(factsOf(root.pem).notAfter) - 1000 * Math.ceil(random.next() * HOUR_S)
  const notAfter = Math.min(now + durationMs(spec.intermediate.validity), rootEnd)
  const terms = { notBefore: now - LEEWAY_MS, notAfter, serial: serialOf(random) }
  const { name: subjectName, dnsNames } = signerName(name, spec, rotation)
  const subject = { name: subjectName, publicKey: key.publicKey, dnsNames }
  const issued = await issueIntermediate(subject, root.pem, terms, signerOf(keys, root.key))
  return { caCert: pemOf(issued), caKey: key.pem }
}

/** The key of an intermediate for another CA, and its request. The key is a secret. */
export async function makeRequest(
  { name, spec }: Pick<MeshCaDocument, 'name' | 'spec'>,
  rotation: string,
  present: string | undefined,
): Promise<{ readonly caKey: string; readonly csr: string }> {
  const [{ requestIntermediate }, { makeCaKey }, { localSigner }] = await Promise.all([
    import('../authority/request.ts'),
    import('../authority/ca-key.ts'),
    import('../authority/signature.ts'),
  ])
  const made = present === undefined ? await makeCaKey(keyKind(spec)) : { pem: present, publicKey: publicHalf(present) }
  const { name: subject, dnsNames } = signerName(name, spec, rotation)
  const csr = await requestIntermediate(subject, made.publicKey, localSigner(made.pem), dnsNames)
  return { caKey: made.pem, csr }
}

function publicHalf(pem: string): Uint8Array {
  return createPublicKey(pem).export({ format: 'der', type: 'spki' })
}

/**
 * The root that signs for a rotation, and its key in the vault: by the id that is known, else the newest of that name. Throws
 * PortError `invalid` where the vault has no such key.
 */
export async function issuingRoot(
  keys: VaultKeys,
  { name, spec, rootKeys = {} }: Pick<MeshCaDocument, 'name' | 'spec' | 'rootKeys'>,
  { root, from }: CaRotation,
): Promise<{ readonly pem: string; readonly key: VaultKey }> {
  const pem = root?.pem ?? (from && rootThatSigned(from))
  if (pem === undefined) {
    throw refusal(
      'NotOurRoot',
      'No trusted root signed the present intermediate itself, so none can sign the next. Rotate the root.',
    )
  }
  const keyName = rootKeyName(name, spec)
  const version = rootKeys[factsOf(pem).fingerprint]?.split('/').at(-1)
  const key = await keys.key(keyName, version)
  const { spkiOf } = await import('../authority/public-key.ts')
  const wanted = new X509Certificate(pem).publicKey.export({ format: 'der', type: 'spki' })
  if (key?.enabled && wanted.equals(spkiOf(key.jwk))) return { pem, key }
  throw refusal(
    'RootKeyMissing',
    `The vault has no enabled key ${keyName} of the root that is trusted. Recover it, set root.kind to external, or rotate the root, which makes a new key.`,
  )
}

/** PEM of the root that issued the present signer, alone. */
function rootThatSigned({ rootCert, caCert }: CaSet): string | undefined {
  const signer = new X509Certificate(caCert)
  return certificatesOf(rootCert).find((pem) => {
    const root = new X509Certificate(pem)
    return signer.checkIssued(root) && signer.verify(root.publicKey)
  })
}

function factsOf(pem: string): CaCertificate {
  const roots = rootsOf(pem)
  const [first] = roots.ok ? roots.value : []
  if (!first) throw new Error('a certificate that was made can be read')
  return first
}

function signerOf(keys: VaultKeys, key: VaultKey) {
  const algorithm = key.jwk.crv === 'P-256' ? ('ES256' as const) : ('ES384' as const)
  return { algorithm, sign: (bytes: Uint8Array) => keys.sign(key, bytes) }
}

function keyKind({ intermediate: { key } }: MeshCaSpec) {
  if (key === 'P-256' || key === 'P-384') return { type: 'EC', curve: key } as const
  return { type: 'RSA', size: key === 'RSA-2048' ? 2048 : 4096 } as const
}

/** 16 bytes that nobody guesses: a serial need be unique and not foreseen, no more. */
function serialOf(random: Random): Uint8Array {
  return createHash('sha256').update(`${random.uuid()}${random.uuid()}`).digest().subarray(0, 16)
}

type Issued =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string; readonly message: string }

function pemOf(issued: Issued): string {
  if (issued.ok) return issued.value
  throw refusal(issued.reason, issued.message)
}

function refusal(reason: string, message: string): PortError {
  return new PortError('invalid', 'mesh CA', message, { reason })
}
