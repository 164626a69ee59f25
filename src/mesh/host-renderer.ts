import type { GatewaySpec } from '../model/gateway.ts'
import type { KindRef, KubeObject, KubeRef } from '../model/kube.ts'
import type { RenderResult } from './provider.ts'

/** A service and what makes its routes on a gateway: a path, and the port that it leads to. */
export interface RoutedPath {
  readonly namespace: string
  readonly name: string
  /** Without a slash at its end, but for `/`. */
  readonly path: string
  /** Name of a port of the service; its first when absent. */
  readonly port?: string
}

/** What a host on one cluster is rendered from. */
export interface HostRenderInput {
  /** Name that exposures use for the gateway. */
  readonly gateway: string
  readonly host: string
  readonly place: GatewaySpec
  /** Written on each object as annotation `meshwright.io/revision`: the fence. */
  readonly renderRevision: number
  /** Secret in the gateway's namespace; absent: plain HTTP. */
  readonly tlsSecret?: string
  readonly redirectHttp: boolean
  /** Paths whose services have brought their own part to the cluster, in any order. */
  readonly routes: readonly RoutedPath[]
}

/** How a mesh lets requests for a host in, where several services share it: objects of the host beside those of its services. */
export interface HostRenderer {
  readonly kinds: readonly KindRef[]
  /** Objects in the order of writing. */
  render(input: HostRenderInput): RenderResult
  /** The object of a service that must be on the cluster before a host names it, and must stay while one does; undefined: none. */
  routeOf(path: RoutedPath): KubeRef | undefined
  /** Is it such an object? */
  isRoute(ref: KubeRef): boolean
  /** The kind whose objects name those of services, and whether a given one does. */
  readonly namingKind: KindRef | undefined
  names(object: KubeObject, route: KubeRef): boolean
  /** Kinds in which foreign objects could serve the same host there, and those of some objects that do. */
  readonly conflictKinds: readonly KindRef[]
  rivals(objects: readonly KubeObject[], input: HostRenderInput): readonly KubeObject[]
}
