import type { ManagedClusterFacts } from '../model/cluster.ts'

/** How to reach the API server of an AKS cluster. */
export interface ClusterEndpoint {
  /** `https://NAME.hcp.REGION.azmk8s.io:443`. */
  readonly server: string
  /** Base64 of the CA's PEM. */
  readonly caData: string
}

/** AKS clusters by ARM id. Answers are kept for minutes: Azure allows one read a second and cluster. Throws PortError. */
export interface ManagedClusters {
  /** What Azure says of it. PortError `not-found`, `denied`, `throttled`. */
  facts(resourceId: string): Promise<ManagedClusterFacts>
  /** Endpoint and CA, from the user credential; the user in it is not looked at. */
  endpoint(resourceId: string): Promise<ClusterEndpoint>
}
