import { isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { MeshCaDeps } from './deps.ts'
import type { CaHold } from './observations.ts'

/**
 * Two PUTs at the same moment may both register a CA for one cluster: neither sees the other. Before anything is written the
 * later of the two is held, so that no two write the same secrets. Throws PortError.
 */
export async function twinHolds(
  { store }: Pick<MeshCaDeps, 'store'>,
  { name, spec, rotation }: MeshCaDocument,
): Promise<readonly CaHold[]> {
  if (!rotation || isCaRotationOver(rotation) || rotation.begunAt !== undefined) return []
  const all = await store.all('mesh-ca', { where: { 'spec.cluster': spec.cluster } })
  const [first] = all.toSorted((one, other) => (age(one) < age(other) ? -1 : 1))
  if (!first || first.name === name) return []
  const message = `Cluster ${spec.cluster} has the CA ${first.name}, which was registered before this one: DELETE one of the two.`
  return [{ kind: 'closed', reason: 'TwinCa', message }]
}

function age({ createdAt, name }: MeshCaDocument): string {
  return `${createdAt} ${name}`
}
