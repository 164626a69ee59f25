import { isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { CaCertificate, CaSet } from '../model/mesh-ca.ts'

/** By fingerprint: the mesh CA that a root or a signer belongs to. What a live rotation brings or takes away belongs to it too. */
export function registeredAuthorities(cas: readonly MeshCaDocument[]): ReadonlyMap<string, string> {
  return new Map(cas.flatMap((ca) => certificatesOfCa(ca).map(({ fingerprint }) => [fingerprint, ca.name] as const)))
}

function certificatesOfCa({ current, rotation }: MeshCaDocument): readonly CaCertificate[] {
  const live = rotation && !isCaRotationOver(rotation) ? rotation : undefined
  return [
    ...setOf(live?.from),
    ...setOf(live?.written),
    ...(live?.root ? [live.root.certificate] : []),
    ...setOf(current),
  ]
}

function setOf(set: CaSet | undefined): readonly CaCertificate[] {
  return set ? [set.signer, ...set.roots] : []
}
