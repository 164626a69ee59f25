import type { KubeRef } from '../../model/kube.ts'
import type { MeteredProvider } from '../provider.ts'
import type { Reader } from '../read/reader.ts'
import { claimsService, isAdoptable, sameClaim } from './claims.ts'
import { istioHosts } from './host.ts'
import { ANY_REQUESTS, LATENCY_EDGES_MS, latencyCounts, outsideCounts, requestCounts } from './metrics.ts'
import {
  AUTHORIZATION_POLICY,
  DESTINATION_RULE,
  ENVOY_FILTER,
  GATEWAY,
  HTTP_ROUTE,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SERVICE_ENTRY,
  SIDECAR,
  TELEMETRY,
  VIRTUAL_SERVICE,
} from './names.ts'
import { istioReader } from './read/reader.ts'
import { renderIstio } from './render.ts'
import { routeWeights } from './route.ts'
import { sideRoutes } from './side-routes.ts'
import { stageIstio } from './stage.ts'

/** Written only where the policy asks for them. */
const POLICY_KINDS = [
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  AUTHORIZATION_POLICY,
  SIDECAR,
  SERVICE_ENTRY,
  TELEMETRY,
  ENVOY_FILTER,
] as const

/** What refers to others before them; a rule about tokens before what reads tokens, or it would refuse everyone. */
const PRUNED: readonly string[] = [
  VIRTUAL_SERVICE,
  GATEWAY,
  AUTHORIZATION_POLICY,
  REQUEST_AUTHENTICATION,
  PEER_AUTHENTICATION,
  SIDECAR,
  SERVICE_ENTRY,
  TELEMETRY,
  ENVOY_FILTER,
  DESTINATION_RULE,
].map(({ kind }) => kind)

/** Istio with sidecars: the AKS add-on and upstream. Without metrics nothing tells more than that objects are stored. */
export const istio: MeteredProvider & { readonly reader: Reader } = {
  name: 'istio',
  kinds: [DESTINATION_RULE, VIRTUAL_SERVICE, GATEWAY, ...POLICY_KINDS],
  rareKinds: [GATEWAY, ...POLICY_KINDS],
  reach: 'stored',
  render: renderIstio,
  stage: stageIstio,
  liveWeights: (object) => (object.kind === VIRTUAL_SERVICE.kind ? routeWeights(object) : undefined),
  liveSideRoutes: (object) => (object.kind === VIRTUAL_SERVICE.kind ? sideRoutes(object) : []),
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(a) - rank(b)),
  reader: istioReader,
  hosts: istioHosts,
  conflictKinds: [VIRTUAL_SERVICE, DESTINATION_RULE, HTTP_ROUTE, ...POLICY_KINDS],
  claims: claimsService,
  isAdoptable,
  sameClaim,
  requestCounts,
  latencyCounts,
  outsideCounts,
  anyRequests: ANY_REQUESTS,
  latencyEdgesMs: LATENCY_EDGES_MS,
}

function rank(ref: KubeRef): number {
  const index = PRUNED.indexOf(ref.kind)
  return index < 0 ? PRUNED.length : index
}
