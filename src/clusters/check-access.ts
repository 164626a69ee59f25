import { fail, type Result, succeed } from '../model/failure.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import { REQUIRED_ACCESS } from './required-access.ts'

export interface AccessReport {
  readonly allowed: boolean
  readonly missing: readonly AccessRight[]
  readonly granted: readonly AccessRight[]
  /** A ClusterRole's rules that would grant what is missing. */
  readonly rules: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

export interface AccessRight {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly why: string
}

/** Asks the cluster (SelfSubjectAccessReview) for each right that Meshwright needs. */
export async function checkAccess(
  deps: { readonly store: Store; readonly clusters: ClusterApis },
  name: string,
): Promise<Result<AccessReport>> {
  const stored = await deps.store.read('cluster', name)
  if (!stored) return fail('NotFound', `There is no cluster ${name}.`)
  try {
    const api = await deps.clusters.connect(stored.value)
    const answers = await Promise.all(REQUIRED_ACCESS.map(async (right) => ({ right, allowed: await api.mayI(right) })))
    const missing = answers.filter(({ allowed }) => !allowed).map(({ right }) => right)
    const granted = answers.filter(({ allowed }) => allowed).map(({ right }) => right)
    return succeed({ allowed: missing.length === 0, missing, granted, rules: missing.map(toRule) })
  } catch (error) {
    if (!isPortError(error)) throw error
    return fail('Unavailable', `Cluster ${name} does not answer: ${error.message}`, {
      retryAfterMs: error.retryAfterMs ?? 5000,
    })
  }
}

function toRule(right: AccessRight): AccessReport['rules'][number] {
  return { apiGroups: [right.group], resources: [right.resource], verbs: [right.verb] }
}
