import { refusalOn } from '../mesh/refusal-on.ts'
import { type ClusterDocument, keyOf, type PolicyDocument, type ServiceDocument } from '../model/documents.ts'
import { type Failure, type FailureCode, fail } from '../model/failure.ts'
import { holdsFor, layersAfter } from '../model/policy/layers.ts'
import { railProblems } from '../model/policy/rail-problems.ts'
import type { Fleet } from './observe-reach.ts'

/** Why a service could not carry the policies as they would be. */
export interface MemberProblem {
  readonly service: string
  readonly cluster: string
  readonly code: FailureCode
  /** JSON pointer into the policy that is changed. */
  readonly pointer: string
  readonly reason: string
}

/** Most problems that an answer names. */
const MOST_NAMED = 20

/** Policies before and after a change of one of them. */
export interface PolicyChange {
  readonly name: string
  readonly before: readonly PolicyDocument[]
  readonly after: readonly PolicyDocument[]
}

/** What a change of a policy would break that is not broken already: guard rails, and what a mesh can express. */
export function memberProblems({ services, clusters }: Fleet, change: PolicyChange): readonly MemberProblem[] {
  const own = (policies: readonly PolicyDocument[]) => policies.filter(({ name }) => name === change.name)
  const touched = services.filter(
    (service) =>
      service.deletingAt === undefined &&
      [...own(change.before), ...own(change.after)].some((policy) => holdsFor(policy, service)),
  )
  return touched.flatMap((service) => {
    const places = clusters.filter(({ name }) => Object.hasOwn(service.targets, name))
    const known = new Set(problemsOf(service, places, change.before, change.name).map(identity))
    return problemsOf(service, places, change.after, change.name).filter((problem) => !known.has(identity(problem)))
  })
}

function problemsOf(
  service: ServiceDocument,
  clusters: readonly ClusterDocument[],
  policies: readonly PolicyDocument[],
  changed: string,
): readonly MemberProblem[] {
  const settled = policies.map(({ spread: _, ...policy }) => policy)
  const { spread: _, ...whole } = service
  const newest = { ...whole, layers: layersAfter(undefined, service, clusters, settled) }
  const broken = railProblems(newest, clusters, policies).map((one): MemberProblem => {
    const from = one.from === undefined ? '' : ` (${one.from})`
    const rail = one.policy === changed ? '' : `: guard rail ${one.rail} of policy ${one.policy}`
    return {
      service: keyOf(service),
      cluster: one.cluster,
      code: 'GuardRail',
      pointer: one.policy === changed ? `/guardRails/${one.rail}` : one.pointer,
      reason: `${one.pointer.slice(1).replaceAll('/', '.')} ${one.reason}${from}${rail}`,
    }
  })
  const refused = clusters.flatMap((cluster) => {
    const failure = refusalOn(newest, cluster)
    const errors = failure?.errors ?? (failure ? [{ pointer: '', reason: failure.detail }] : [])
    return errors.map(
      ({ pointer, reason }): MemberProblem => ({
        service: keyOf(service),
        cluster: cluster.name,
        code: failure?.code ?? 'UnsupportedFeature',
        pointer,
        reason,
      }),
    )
  })
  return [...broken, ...refused]
}

function identity({ service, cluster, code, pointer, reason }: MemberProblem): string {
  return [service, cluster, code, pointer, reason].join('\n')
}

/** The failure that names what would break; undefined when nothing would. */
export function memberFailure(problems: readonly MemberProblem[]): Failure | undefined {
  const first = problems[0]
  if (!first) return undefined
  const services = new Set(problems.map(({ service }) => service)).size
  return fail(
    first.code,
    `The policies would not fit ${services === 1 ? 'a service' : `${services} services`}; nothing was changed.`,
    {
      errors: problems.slice(0, MOST_NAMED).map(({ service, cluster, pointer, reason }) => ({
        pointer,
        reason: `${service} on ${cluster}: ${reason}`,
      })),
      hint: 'POST /policies/{name}/plan names them all. Let the policy itself say what it asks, change the services first, or name them in "except".',
    },
  ).failure
}
