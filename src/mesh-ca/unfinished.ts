import type { CaRotation } from '../model/ca-rotation.ts'
import type { CaSecretNames, CaSet } from '../model/mesh-ca.ts'
import { isAsked, keepLease } from '../model/waiting.ts'
import { PARTS, type VaultSeen } from './observations.ts'
import { ask, type CaStep, withRotation } from './step.ts'
import { knownSet } from './wanted.ts'

/**
 * Four secrets are not written in one. Where a write ends in between, the vault is torn: a new certificate beside an old key,
 * with which istiod does not start. Whatever the rotation waits for, a vault that it tore itself is put back first.
 */

/** In the place of the phase, in the mark of what was put back. */
export const PUT_BACK = 'put-back'

/** Secrets whose newest version is of a write of this rotation that it has not taken note of. */
export function unfinishedParts(
  rotation: CaRotation,
  { versions, marks }: Pick<VaultSeen, 'versions' | 'marks'>,
): readonly (keyof CaSecretNames)[] {
  const known = knownSet(rotation)?.versions
  return PARTS.filter((part) => {
    const mark = marks[part]
    return versions[part] !== known?.[part] && mark?.rotation === rotation.id && mark.phase !== PUT_BACK
  })
}

/** Would the mesh not take what lies there, and is some of it of a write of this rotation that did not come to its end? */
export function isTorn(rotation: CaRotation, vault: VaultSeen): boolean {
  const isUsable = vault.set !== undefined && (vault.problems.length === 0 || vault.hasEnded === true)
  return !isUsable && unfinishedParts(rotation, vault).length > 0
}

/**
 * What comes before everything else: whoever writes is waited for, and what a write left torn is put back. No pause, freeze,
 * window or turn holds that, nor that the cluster changes or is only observed: it changes nothing but what the rotation itself
 * wrote, to what the cluster runs with; and a drain of nodes, of which an upgrade is made, is what a torn vault does not bear.
 * A first CA has nothing to be put back, and nothing runs with it: it is written again when it may. Undefined: nothing is torn.
 */
export function mendFirst(
  step: CaStep,
  rotation: CaRotation,
  vault: VaultSeen,
  { isChanged, now }: { readonly isChanged: boolean; readonly now: number },
): CaStep | undefined {
  const torn = isTorn(rotation, vault)
  if (!torn && !isChanged) return undefined
  if (isAsked(step, now)) return keepLease(step, now)
  if (!torn || !knownSet(rotation)) return undefined
  const message = 'A write did not come to its end: what the vault held before is put back.'
  return ask(step, { kind: 'put-back', rotation: rotation.id }, 'PuttingBack', message, now)
}

/** What was put back is what was there before, in new versions: it is known by them from then on, and nobody is told. */
export function notePutBack(step: CaStep, { set, marks }: VaultSeen): CaStep {
  if (!set) return step
  const { current } = step.document
  const { from, written } = step.document.rotation ?? {}
  const again = (known: CaSet | undefined): CaSet | undefined =>
    known && isSameAgain(known, set, marks) ? { ...known, versions: set.versions } : undefined
  const next = { current: again(current), written: again(written), from: again(from) }
  const noted = next.current ? { ...step, document: { ...step.document, current: next.current } } : step
  if (next.written) return withRotation(noted, { written: next.written })
  return next.from && !written ? withRotation(noted, { from: next.from }) : noted
}

function isSameAgain(known: CaSet, set: CaSet, marks: VaultSeen['marks']): boolean {
  const isNew = (part: keyof CaSecretNames) => known.versions[part] !== set.versions[part]
  const isSame = known.rootCert === set.rootCert && known.caCert === set.caCert && known.certChain === set.certChain
  return isSame && PARTS.some(isNew) && PARTS.every((part) => !isNew(part) || marks[part]?.phase === PUT_BACK)
}

/** What the vault holds, for people, while it is torn. */
export function tornMessage(rotation: CaRotation): string {
  const { id, message } = rotation
  return knownSet(rotation)
    ? `The vault holds a part of what rotation ${id} was writing: what runs keeps what it has, and would not start with this. What was there before is put back as soon as the vault allows it. ${message}`
    : `The vault holds a part of the first CA: there is nothing to put back, and it is written again. ${message}`
}
