/** What the traffic of a world follows: the routes on its clusters, whoever keeps them. */
export interface RouteSource {
  /**
   * Where callers in the mesh send requests for a service: as the first rule says that fits. Undefined when no route
   * exists: all its pods, evenly.
   */
  rules(cluster: string, namespace: string, service: string): readonly RouteRule[] | undefined
}

/** A request, as far as routes look at it. */
export interface RequestShape {
  /** The port of the service. */
  readonly port: number
  readonly path: string
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

export interface RouteRule {
  fits(request: RequestShape): boolean
  readonly shares: readonly RouteShare[]
  /** Copies of some of the requests go to pods with all these labels; undefined: nobody defines the subset. */
  readonly mirror?: { readonly percent: number; readonly labels: RouteShare['labels'] }
}

export interface RouteShare {
  /** Name of the subset; '' when the route goes to the whole host. */
  readonly subset: string
  /** Relative: what counts is the part of the sum. */
  readonly weight: number
  /** Pods with all these labels take the share. Undefined: nobody defines the subset, its requests are answered 503. */
  readonly labels: Readonly<Record<string, string>> | undefined
  /** `name=value`: the cookie that its answers set. */
  readonly setCookie?: string
}
