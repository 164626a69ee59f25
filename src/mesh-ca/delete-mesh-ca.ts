import { isCaRotationOver } from '../model/ca-rotation.ts'
import { fail, type Result } from '../model/failure.ts'
import type { RequestContext } from '../model/request.ts'
import { deleteDocument } from '../ports/delete-document.ts'
import type { MeshCaDeps } from './deps.ts'

/**
 * Lets go of a mesh CA. What is in the vault and on the cluster stays as it is; a rotation that has begun to write is ended
 * or taken back first.
 */
export async function deleteMeshCa(
  deps: Pick<MeshCaDeps, 'store' | 'clock'>,
  name: string,
  context: RequestContext,
): Promise<Result<undefined>> {
  return deleteDocument(deps, 'mesh-ca', name, context, async ({ rotation }) => {
    if (!rotation || isCaRotationOver(rotation) || rotation.begunAt === undefined) return undefined
    return fail('Conflict', `A rotation of ${name} is live: ${rotation.phase}.`, {
      hint: 'Let it end, or POST …/abort and wait for that, so that the mesh is not left in between.',
    }).failure
  })
}
