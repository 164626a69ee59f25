import type { Weights } from '../../../src/mesh/istio/route.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { ServiceSpec } from '../../../src/model/service.ts'

/** Tells what is broken: an invariant's words with the facts. */
export type Broke = (what: string) => void

/** What one render revision of a service asks for. Reckoned anew here: the product's own sum is what is under test. */
export interface Asked {
  readonly spec: ServiceSpec
  /** By cluster. */
  readonly weights: Readonly<Record<string, Weights>>
}

/** Weights that a service document asks for, by cluster. */
export function askedBy(service: ServiceDocument): Asked {
  const weights = Object.entries(service.targets).map(([cluster, { stable }]): [string, Weights] => {
    const found = service.rollouts.flatMap((rollout) =>
      rollout.targets.filter((target) => target.cluster === cluster).map((target) => ({ rollout, target })),
    )
    const [live] = found
    if (!live) return [cluster, service.spec.traffic?.weights ?? { [stable]: 100 }]
    const share = live.rollout.phase === 'rolling-back' ? 0 : live.target.weight
    return [cluster, { [live.target.stable]: 100 - share, [live.target.candidate]: share }]
  })
  return { spec: service.spec, weights: Object.fromEntries(weights) }
}

/** Two splits are the same when every version gets the same; a version that is left out gets 0. */
export function sameSplit(a: Weights, b: Weights): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((version) => (a[version] ?? 0) === (b[version] ?? 0))
}

export function isSplit(weights: Weights): boolean {
  const shares = Object.values(weights)
  const sum = shares.reduce((total, share) => total + share, 0)
  return shares.every((share) => Number.isInteger(share) && share >= 0) && sum === 100
}
