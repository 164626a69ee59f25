import type { ManagedClusterFacts } from '../model/cluster.ts'

/** How to reach the API server of an AKS cluster. */
export interface ClusterEndpoint {
  /** `https://NAME.hcp.REGION.azmk8s.io:443`. */
  readonly server: string
  /** Base64 of the CA's PEM. */
  readonly caData: string
}

/**
 * AKS clusters by ARM id, in any case. Answers are kept for minutes, failures for seconds: Azure allows one read a second
 * and cluster. `maxAgeMs` is how old a kept answer may be; under a second counts as one. Throws PortError: `not-found`
 * (reason `ClusterGone`), `denied` (`ArmDenied`, `TokenRefused`), `throttled` (`ArmThrottled`, with `retryAfterMs`),
 * `unavailable` (`ArmUnavailable` or a finer one), `invalid`.
 */
export interface ManagedClusters {
  /** What Azure says of it. */
  facts(resourceId: string, maxAgeMs?: number): Promise<ManagedClusterFacts>
  /** Endpoint and CA, from the user credential; the user in it is not looked at. */
  endpoint(resourceId: string, maxAgeMs?: number): Promise<ClusterEndpoint>
}
