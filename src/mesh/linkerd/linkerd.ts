import type { KubeRef } from '../../model/kube.ts'
import { GRPC_ROUTE, HTTP_ROUTE, isRoute } from '../http-route/names.ts'
import { routeWeights } from '../http-route/rule.ts'
import { sideRoutes } from '../http-route/side-routes.ts'
import { stageRoutes } from '../http-route/stage.ts'
import type { Provider } from '../provider.ts'
import type { Reader } from '../read/reader.ts'
import { KUBE_SERVICE, versionServiceNames } from '../version-services.ts'
import { claimsService, sameClaim } from './claims.ts'
import { ANY_REQUESTS, LATENCY_EDGES_MS, latencyCounts, requestCounts, versionLabels } from './metrics.ts'
import {
  AUTHORIZATION_POLICY,
  CONTROLLER,
  LEGACY_ROUTE,
  MESH_TLS,
  NETWORK,
  RATE_LIMIT,
  SERVER,
  SERVICE_PROFILE,
} from './names.ts'
import { linkerdReader } from './read/reader.ts'
import { renderLinkerd } from './render.ts'

/** Linkerd, by the Gateway API's routes on Services. Its controller says that it has read a route, not that proxies have. */
export const linkerd: Provider & { readonly reader: Reader } = {
  name: 'linkerd',
  kinds: [KUBE_SERVICE, HTTP_ROUTE, GRPC_ROUTE, SERVER, AUTHORIZATION_POLICY, MESH_TLS, NETWORK, RATE_LIMIT],
  reach: 'accepted',
  versionServices: versionServiceNames,
  render: renderLinkerd,
  stage: (live, desired) => stageRoutes(live, desired, CONTROLLER),
  liveWeights: (object) => (isRoute(object) ? routeWeights(object) : undefined),
  liveSideRoutes: (object) => (isRoute(object) ? sideRoutes(object) : []),
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(a) - rank(b)),
  reader: linkerdReader,
  conflictKinds: [HTTP_ROUTE, GRPC_ROUTE, LEGACY_ROUTE, SERVICE_PROFILE, SERVER],
  claims: claimsService,
  sameClaim,
  requestCounts,
  latencyCounts,
  versionLabels,
  anyRequests: ANY_REQUESTS,
  latencyEdgesMs: LATENCY_EDGES_MS,
}

/** What refers to others goes before them: a Server without its rules would let nobody in. */
function rank({ kind }: KubeRef): number {
  const order = [GRPC_ROUTE, HTTP_ROUTE, SERVER, RATE_LIMIT, AUTHORIZATION_POLICY, MESH_TLS, NETWORK, KUBE_SERVICE]
  return order.findIndex((one) => one.kind === kind)
}
