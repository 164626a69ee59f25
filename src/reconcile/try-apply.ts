import { type Finding, finding } from '../mesh/lint/finding.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import { isWorkload } from './workloads/deployment.ts'

const CODES = { invalid: 'Rejected', conflict: 'FieldConflict', denied: 'Denied', 'not-found': 'KindMissing' } as const

/** Has the server check an object as strictly as on a write, and keep nothing. Throws PortError where it did not check. */
export async function tryApply(api: ClusterApi, object: KubeObject, force: boolean): Promise<Finding | undefined> {
  try {
    await api.apply(object, { force, dryRun: true })
    return undefined
  } catch (error) {
    if (!isPortError(error, 'invalid', 'conflict', 'denied', 'not-found')) throw error
    const code = CODES[error.kind as keyof typeof CODES]
    const fix = code === 'Denied' && isWorkload(object) ? imageRights(object) : undefined
    return finding(code, error.message, { object: describeRef(refOf(object)), fix })
  }
}

function imageRights({ metadata }: KubeObject): string {
  return `Give Meshwright the rights of infra/kubernetes/image-role.yaml in namespace ${metadata.namespace}.`
}
