import { type CaRotation, isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import type { MeshCaDeps } from './deps.ts'
import type { CaHold } from './observations.ts'
import { rootInUse } from './renewal.ts'

const LOOK_MS = 300_000
const MOST_NAMED = 5

/**
 * Why the former root may not leave yet: leaves of another cluster's mesh rest on it, and where clusters are one mesh this one
 * would refuse them. Empty for whatever is not about to take a root away. Throws PortError.
 */
export async function sharedHolds(
  { store, clock }: Pick<MeshCaDeps, 'store' | 'clock'>,
  document: MeshCaDocument,
): Promise<readonly CaHold[]> {
  const leaving = leavingRoots(document.rotation)
  if (leaving.length === 0) return []
  const others = (await store.all('mesh-ca')).filter((one) => {
    return one.spec.cluster !== document.spec.cluster && one.spec.purpose === document.spec.purpose
  })
  const named = others
    .filter((one) => rootsInUse(one).some((root) => leaving.includes(root)))
    .map(({ name, spec }) => `${name} (cluster ${spec.cluster})`)
  if (named.length === 0) return []
  const message = `Certificates of other clusters rest on the root that is to leave: ${named.slice(0, MOST_NAMED).join(', ')}. Where clusters are one mesh, this one would trust them no more. Rotate the root of those first, until they wait here too or are done; or abort, which is possible until the root leaves: then the former one signs again.`
  return [{ kind: 'shared', reason: 'RootShared', message, until: clock.now() + LOOK_MS }]
}

/** Roots that go when this rotation narrows, as long as nothing of that is written. */
function leavingRoots(rotation: CaRotation | undefined): readonly string[] {
  const { what, phase, direction, writtenAt, from, root } = rotation ?? {}
  const isNear = phase === 'renewing' || (phase === 'narrowing' && writtenAt === undefined)
  if (what !== 'root' || direction !== 'on' || !isNear) return []
  const made = root?.certificate.fingerprint
  return (from?.roots ?? []).map(({ fingerprint }) => fingerprint).filter((one) => one !== made)
}

/**
 * What leaves of the CA rest on now: the root of what signs, and while leaves are renewed that of what signed before. One
 * that is about to narrow itself has none of its former root any more: two that share a root do not wait for each other.
 */
function rootsInUse({ current, rotation }: MeshCaDocument): readonly string[] {
  const isRenewing =
    rotation !== undefined &&
    !isCaRotationOver(rotation) &&
    (rotation.phase === 'switching' || rotation.phase === 'renewing')
  const sets: readonly (CaSet | undefined)[] = isRenewing ? [current, rotation.from, rotation.written] : [current]
  return sets.flatMap((set) => (set && rootInUse(set)?.fingerprint) ?? [])
}
