import type { KubeRef } from '../../model/kube.ts'
import { GRPC_ROUTE, HTTP_ROUTE, isRoute } from '../http-route/names.ts'
import { routeWeights } from '../http-route/rule.ts'
import { sideRoutes } from '../http-route/side-routes.ts'
import { stageRoutes } from '../http-route/stage.ts'
import { LATENCY_EDGES_MS } from '../istio/metrics.ts'
import type { Provider } from '../provider.ts'
import type { Reader } from '../read/reader.ts'
import { KUBE_SERVICE, versionServiceNames } from '../version-services.ts'
import { claimsExposure, sameExposure } from './claims.ts'
import { ANY_REQUESTS, latencyCounts, requestCounts, versionLabels } from './metrics.ts'
import { gatewayApiReader } from './read/reader.ts'
import { renderGatewayApi } from './render.ts'

/** Gateways of the Gateway API without a mesh behind them. Their controllers say what they accept. */
export const gatewayApi: Provider & { readonly reader: Reader } = {
  name: 'gateway-api',
  kinds: [KUBE_SERVICE, HTTP_ROUTE, GRPC_ROUTE],
  reach: 'accepted',
  versionServices: versionServiceNames,
  render: renderGatewayApi,
  stage: (live, desired) => stageRoutes(live, desired),
  liveWeights: (object) => (isRoute(object) ? routeWeights(object) : undefined),
  liveSideRoutes: (object) => (isRoute(object) ? sideRoutes(object) : []),
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(a) - rank(b)),
  reader: gatewayApiReader,
  conflictKinds: [HTTP_ROUTE, GRPC_ROUTE],
  claims: (object, _, own) => claimsExposure(object, own),
  sameClaim: sameExposure,
  requestCounts,
  latencyCounts,
  versionLabels,
  anyRequests: ANY_REQUESTS,
  latencyEdgesMs: LATENCY_EDGES_MS,
}

/** Routes go before the Services that they name; `removeFirst` takes one kind at a time. */
function rank({ kind }: KubeRef): number {
  return [GRPC_ROUTE.kind, HTTP_ROUTE.kind, KUBE_SERVICE.kind].indexOf(kind)
}
