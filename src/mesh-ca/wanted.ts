import { type Trusted, widen } from '../authority/trust.ts'
import { type CaRotation, isTakeover } from '../model/ca-rotation.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { type CaWrite, PARTS, type SecretMark, type VaultSeen } from './observations.ts'

/** What a phase wants of the vault and of every trust bundle. */
export interface Wanted {
  /** PEM, byte for byte. */
  readonly rootCert: string
  /** SHA-256 of the roots that every bundle has to hold. */
  readonly roots: readonly string[]
  /** No other root may be in a bundle. */
  readonly exact: boolean
  readonly signer: CaWrite['signer']
}

/**
 * What the phase that a rotation is in wants. A refusal where old and new roots cannot stand together in a way that a
 * running istiod takes. Only of phases from `widening` to `narrowing`.
 */
export function wantedOf(rotation: CaRotation): Trusted<Wanted> {
  const { what, phase, direction, from, root } = rotation
  const back = direction === 'back'
  const held = from?.roots.map(({ fingerprint }) => fingerprint) ?? []
  const made = root ? [root.certificate.fingerprint] : []
  if (!from) return wanted({ rootCert: root?.pem ?? '', roots: made, exact: true, signer: 'new' })
  if (what === 'intermediate' || !root) {
    return wanted({ rootCert: from.rootCert, roots: held, exact: false, signer: back ? 'former' : 'new' })
  }
  if (phase === 'narrowing') {
    const only = back ? { rootCert: from.rootCert, roots: held } : { rootCert: root.pem, roots: made }
    return wanted({ ...only, exact: true, signer: 'keep' })
  }
  const wide = widen(from.rootCert, root.pem)
  if (!wide.ok) return wide
  const signer = phase === 'switching' ? (back ? 'former' : 'new') : 'keep'
  return wanted({ rootCert: wide.value, roots: [...new Set([...held, ...made])], exact: false, signer })
}

function wanted(value: Wanted): Trusted<Wanted> {
  return { ok: true, value }
}

/** What the rotation knows the vault to hold: what it wrote last, else what it found there. */
export function knownSet({ written, from }: CaRotation): CaSet | undefined {
  return written ?? (isTakeover({ from }) ? undefined : from)
}

/** The set that the phase wants, whole, as its writer left it; undefined while it is not there. */
export function writtenSet(
  rotation: CaRotation,
  wanted: Wanted,
  { set, marks, problems }: VaultSeen,
): CaSet | undefined {
  const { id, phase, direction } = rotation
  const isOurs = (mark: SecretMark | undefined) =>
    mark?.rotation === id && mark.phase === phase && mark.direction === direction
  if (!set || problems.length > 0 || !PARTS.every((part) => isOurs(marks[part]))) return undefined
  return set.rootCert === wanted.rootCert && isSigner(rotation, wanted, set) ? set : undefined
}

function isSigner(rotation: CaRotation, { signer }: Wanted, set: CaSet): boolean {
  const { from } = rotation
  if (signer === 'former') return set.signer.fingerprint === from?.signer.fingerprint
  if (signer === 'keep') return set.signer.fingerprint === knownSet(rotation)?.signer.fingerprint
  return set.signer.fingerprint !== from?.signer.fingerprint
}

/** Secrets that are not as this rotation knows or left them: another hand wrote them. */
export function changedElsewhere(
  rotation: CaRotation,
  { versions, marks }: VaultSeen,
): readonly (keyof CaSet['versions'])[] {
  const known = knownSet(rotation)?.versions
  // Once a phase is seen to be written, nothing of ours is on its way.
  const isOnItsWay = rotation.writtenAt === undefined
  return PARTS.filter((part) => {
    if (versions[part] === known?.[part]) return false
    if (versions[part] === undefined) return known !== undefined
    return !(isOnItsWay && marks[part]?.rotation === rotation.id)
  })
}
