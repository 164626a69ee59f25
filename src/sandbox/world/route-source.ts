/** What the traffic of a world follows: the routes on its clusters, whoever keeps them. */
export interface RouteSource {
  /** Where callers in the mesh send requests for a service; undefined when no route exists: all its pods, evenly. */
  weights(cluster: string, namespace: string, service: string): readonly RouteShare[] | undefined
}

export interface RouteShare {
  /** Name of the subset; '' when the route goes to the whole host. */
  readonly subset: string
  /** Relative: what counts is the part of the sum. */
  readonly weight: number
  /** Pods with all these labels take the share. Undefined: nobody defines the subset, its requests are answered 503. */
  readonly labels: Readonly<Record<string, string>> | undefined
}
