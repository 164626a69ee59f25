import { canonicalJson } from '../model/digest.ts'
import { type ClusterDocument, keyOf, type PolicyDocument, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { waveSizes } from '../model/policy/decide-spread.ts'
import { hasReached, withPolicy } from '../model/policy/layers.ts'
import { servicePolicy } from '../model/policy/service-policy.ts'
import type { SharedPolicySpec } from '../model/policy/shared-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { type MemberProblem, memberProblems } from './check-members.ts'
import { membersOf, readFleet } from './observe-reach.ts'
import { nextPolicy } from './put-policy.ts'

/** What a policy would change for one service on one cluster. */
export interface PolicyPlanChange {
  readonly service: string
  readonly cluster: string
  /** JSON pointers of fields of the effective policy. */
  readonly fields: readonly string[]
}

export interface PolicyPlan {
  readonly services: number
  readonly placements: number
  /** Where what is asked of a mesh changes; at most MOST_CHANGES are named. */
  readonly changes: readonly PolicyPlanChange[]
  readonly changed: number
  /** How many placements each wave takes. */
  readonly waves: readonly number[]
  /** Why a PUT would be refused. */
  readonly problems: readonly MemberProblem[]
}

const MOST_CHANGES = 1000

/** What a PUT of `spec` would do to services; without a spec what is stored and not yet done. Writes nothing. */
export async function planPolicy(
  deps: { readonly store: Store; readonly clock: Clock },
  name: string,
  spec: SharedPolicySpec | undefined,
): Promise<Result<PolicyPlan>> {
  const [policies, fleet] = await Promise.all([deps.store.all('policy'), readFleet(deps.store)])
  const before = policies.find((policy) => policy.name === name)
  if (spec === undefined && !before) return fail('NotFound', `There is no policy ${name}.`)
  const now = timestamp(deps.clock.now())
  const policy =
    before && spec === undefined ? before : nextPolicy(before, { name, spec: spec as SharedPolicySpec, now })
  const others = policies.filter((one) => one.name !== name)
  const members = membersOf(policy, fleet.services)
  const pairs = members.flatMap((service) =>
    fleet.clusters
      .filter((cluster) => Object.hasOwn(service.targets, cluster.name))
      .map((cluster) => ({ service, cluster })),
  )
  const moved = pairs.filter(({ service, cluster }) => !hasReached(service.layers, policy, service, cluster))
  const changes = moved.flatMap(({ service, cluster }) => changeOf(policy, service, cluster))
  return succeed({
    services: members.length,
    placements: pairs.length,
    changes: changes.slice(0, MOST_CHANGES),
    changed: changes.length,
    waves: waveSizes(moved.length, policy.spec.waves?.percents),
    problems: memberProblems(fleet, { name, before: policies, after: [...others, policy] }),
  })
}

function changeOf(
  policy: PolicyDocument,
  service: ServiceDocument,
  cluster: ClusterDocument,
): readonly PolicyPlanChange[] {
  const layers = withPolicy(service.layers, policy, service, [cluster])
  const [was, is] = [service, { ...service, layers }].map((one) => fieldsOf(servicePolicy(one, cluster).policy))
  const all = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])].sort()
  const fields = all.filter((field) => was?.[field] !== is?.[field])
  return fields.length === 0 ? [] : [{ service: keyOf(service), cluster: cluster.name, fields }]
}

/** `/traffic/timeout` and what it says, as text. */
function fieldsOf(policy: object): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(policy).flatMap(([part, value]) =>
      Array.isArray(value) || typeof value !== 'object'
        ? [[`/${part}`, canonicalJson(value)]]
        : Object.entries(value ?? {}).map(([field, inner]) => [`/${part}/${field}`, canonicalJson(inner)]),
    ),
  )
}
