import type { Weights } from '../../../src/mesh/istio/route.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Rollout, RolloutTarget } from '../../../src/model/rollout.ts'
import type { ServiceSpec } from '../../../src/model/service.ts'

/** Tells what is broken: an invariant's words with the facts. */
export type Broke = (what: string) => void

/** What of a candidate's traffic goes by a route beside the split: `match v2`, `mirror v2`, `affinity v2`. */
export type Sides = readonly string[]

/** What one render revision of a service asks for. Reckoned anew here: the product's own sum is what is under test. */
export interface Asked {
  readonly spec: ServiceSpec
  /** By cluster. */
  readonly weights: Readonly<Record<string, Weights>>
  /** By cluster; sorted. */
  readonly sides: Readonly<Record<string, Sides>>
}

/** What a service document asks for, by cluster. */
export function askedBy(service: ServiceDocument): Asked {
  const clusters = Object.entries(service.targets).map(([cluster, { stable }]) => {
    const live = service.rollouts
      .flatMap((rollout) => rollout.targets.map((target) => ({ rollout, target })))
      .find(({ target }) => target.cluster === cluster)
    if (!live) return { cluster, weights: service.spec.traffic?.weights ?? { [stable]: 100 }, sides: [] }
    return { cluster, ...askedOf(live.rollout, live.target) }
  })
  return {
    spec: service.spec,
    weights: Object.fromEntries(clusters.map(({ cluster, weights }) => [cluster, weights])),
    sides: Object.fromEntries(clusters.map(({ cluster, sides }) => [cluster, sides])),
  }
}

function askedOf(rollout: Rollout, target: RolloutTarget): { readonly weights: Weights; readonly sides: Sides } {
  const isBack = rollout.phase === 'rolling-back'
  const share = isBack ? 0 : target.weight
  const weights = { [target.stable]: 100 - share, [target.candidate]: share }
  if (isBack) return { weights, sides: [] }
  const kinds = [
    ...(rollout.affinity && share >= 1 && share <= 99 ? ['affinity'] : []),
    ...(target.match ? ['match'] : []),
    ...(target.mirror === undefined ? [] : ['mirror']),
  ]
  return { weights, sides: kinds.map((kind) => `${kind} ${target.candidate}`) }
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
