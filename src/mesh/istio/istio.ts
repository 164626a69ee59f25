import type { KubeRef } from '../../model/kube.ts'
import type { MeteredProvider } from '../provider.ts'
import { claimsService, sameClaim } from './claims.ts'
import { ANY_REQUESTS, LATENCY_EDGES_MS, latencyCounts, outsideCounts, requestCounts } from './metrics.ts'
import { DESTINATION_RULE, HTTP_ROUTE, VIRTUAL_SERVICE } from './names.ts'
import { renderIstio } from './render.ts'
import { routeWeights } from './route.ts'
import { sideRoutes } from './side-routes.ts'
import { stageIstio } from './stage.ts'

/** Istio with sidecars: the AKS add-on and upstream. Without metrics nothing tells more than that objects are stored. */
export const istio: MeteredProvider = {
  name: 'istio',
  kinds: [DESTINATION_RULE, VIRTUAL_SERVICE],
  reach: 'stored',
  render: renderIstio,
  stage: stageIstio,
  liveWeights: (object) => (object.kind === VIRTUAL_SERVICE.kind ? routeWeights(object) : undefined),
  liveSideRoutes: (object) => (object.kind === VIRTUAL_SERVICE.kind ? sideRoutes(object) : []),
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(a) - rank(b)),
  conflictKinds: [VIRTUAL_SERVICE, DESTINATION_RULE, HTTP_ROUTE],
  claims: claimsService,
  sameClaim,
  requestCounts,
  latencyCounts,
  outsideCounts,
  anyRequests: ANY_REQUESTS,
  latencyEdgesMs: LATENCY_EDGES_MS,
}

function rank(ref: KubeRef): number {
  return ref.kind === VIRTUAL_SERVICE.kind ? 0 : 1
}
