import { keyOf, type PolicyDocument, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { brokenRails, type GuardRailName, type PolicyGuardRails } from '../model/policy/guard-rails.ts'
import { hasReached, holdsOn, layersOn } from '../model/policy/layers.ts'
import type { Policy } from '../model/policy/policy.ts'
import { heldOn, servicePolicy } from '../model/policy/service-policy.ts'
import type { Store } from '../ports/store.ts'

/** The policy that holds for a service on one cluster, and where each part of it comes from. */
export interface ShownPolicy {
  readonly cluster: string
  /** Of the service, when it said of itself what holds there. */
  readonly generation: number
  /** Is that the newest? False: a change of the service is on its way there. */
  readonly current: boolean
  readonly policy: Policy
  /** JSON pointer of each field: `service`, `override 0`, `policy base`. */
  readonly origins: Readonly<Record<string, string>>
  /** Shared policies that it carries there, the weakest first; `current` is false while a change is on its way. */
  readonly policies: readonly { readonly name: string; readonly generation: number; readonly current: boolean }[]
  readonly guardRails: readonly ShownRail[]
}

export interface ShownRail {
  readonly policy: string
  readonly rail: GuardRailName
  readonly wants: PolicyGuardRails[GuardRailName]
  readonly kept: boolean
  /** What breaks it. */
  readonly reason?: string
}

/** What holds for a service on each of its clusters, or on the one that is named. */
export async function showPolicy(
  store: Store,
  key: string,
  cluster: string | undefined,
): Promise<Result<readonly ShownPolicy[]>> {
  const service = (await store.read('service', key))?.value
  if (!service) return fail('NotFound', `There is no service ${key}.`)
  const names = Object.keys(service.targets).sort()
  if (cluster !== undefined && !names.includes(cluster))
    return fail('NotFound', `Service ${keyOf(service)} is not on a cluster ${cluster}.`)
  const [clusters, policies] = await Promise.all([store.all('cluster'), store.all('policy')])
  const shown = clusters.filter(({ name }) => names.includes(name) && (cluster === undefined || name === cluster))
  return succeed(shown.map((place) => shownOn(service, place, policies)))
}

type Place = Parameters<typeof servicePolicy>[1]

function shownOn(service: ServiceDocument, place: Place, policies: readonly PolicyDocument[]): ShownPolicy {
  const { policy, origins } = servicePolicy(service, place)
  const held = heldOn(service, place.name)
  return {
    cluster: place.name,
    generation: held?.generation ?? service.generation,
    current: held === undefined,
    policy,
    origins,
    policies: layersOn(service.layers, place.name).map(({ name, generation }) => {
      const stored = policies.find((one) => one.name === name)
      return { name, generation, current: stored !== undefined && hasReached(service.layers, stored, service, place) }
    }),
    guardRails: policies
      .filter((one) => holdsOn(one, service, place))
      .flatMap(({ name, spec }) => (spec.guardRails ? railsOf(name, spec.guardRails, policy) : [])),
  }
}

function railsOf(name: string, rails: PolicyGuardRails, policy: Policy): readonly ShownRail[] {
  const broken = brokenRails(policy, rails)
  return (Object.entries(rails) as [GuardRailName, PolicyGuardRails[GuardRailName]][]).map(([rail, wants]) => {
    const reasons = broken.filter((one) => one.rail === rail).map(({ pointer, reason }) => `${pointer} ${reason}`)
    const why = reasons.length > 0 ? { reason: reasons.join('; ') } : {}
    return { policy: name, rail, wants, kept: reasons.length === 0, ...why }
  })
}
