import type { ClusterDocument, PolicyDocument } from '../documents.ts'
import { type BrokenRail, brokenRails } from './guard-rails.ts'
import { holdsOn, type PolicySubject } from './layers.ts'
import { type PolicyHolder, servicePolicy } from './service-policy.ts'

/** A guard rail of a policy that a service does not keep on a cluster. */
export interface RailProblem extends BrokenRail {
  readonly policy: string
  readonly cluster: string
  /** Where the field that breaks it comes from: `service`, `override 0`, `policy base`; undefined: nobody says it. */
  readonly from: string | undefined
}

/** The guard rails, of all policies that hold for a service, that it does not keep on its clusters. */
export function railProblems(
  service: PolicySubject & PolicyHolder,
  clusters: readonly ClusterDocument[],
  policies: readonly PolicyDocument[],
): readonly RailProblem[] {
  return clusters.flatMap((cluster) => {
    const { policy: effective, origins } = servicePolicy(service, cluster)
    return policies.flatMap((policy) => {
      const rails = policy.spec.guardRails
      if (!rails || !holdsOn(policy, service, cluster)) return []
      return brokenRails(effective, rails).map((broken) => ({
        ...broken,
        policy: policy.name,
        cluster: cluster.name,
        from: originOf(origins, broken.pointer),
      }))
    })
  })
}

/** The longest beginning of a pointer that some layer says. */
function originOf(origins: Readonly<Record<string, string>>, pointer: string): string | undefined {
  for (let part = pointer; part !== ''; part = part.slice(0, part.lastIndexOf('/'))) {
    if (origins[part] !== undefined) return origins[part]
  }
  return undefined
}
