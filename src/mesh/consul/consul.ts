import type { KubeRef } from '../../model/kube.ts'
import type { Provider } from '../provider.ts'
import { acceptance } from './acceptance.ts'
import { claimsService } from './claims.ts'
import { CONSUL_KINDS, isOfKind, SERVICE_ROUTER, SERVICE_SPLITTER } from './names.ts'
import { renderConsul } from './render.ts'
import { podAnnotations } from './resolver.ts'
import { sideRoutes } from './side-routes.ts'
import { splitWeights } from './splitter.ts'
import { stageConsul } from './stage.ts'

/**
 * Consul's Community Edition with sidecars. Its controller tells that Consul took an object; nothing but metrics tells that
 * proxies did. Its own metrics are for ready-made gates: what tells subsets apart in them was not seen live.
 */
export const consul: Provider = {
  name: 'consul',
  kinds: CONSUL_KINDS,
  reach: 'accepted',
  podAnnotations,
  acceptance,
  render: renderConsul,
  stage: stageConsul,
  liveWeights: (object) => (isOfKind(object, SERVICE_SPLITTER) ? splitWeights(object) : undefined),
  liveSideRoutes: (object) => (isOfKind(object, SERVICE_ROUTER) ? sideRoutes(object) : []),
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(b) - rank(a)),
  conflictKinds: CONSUL_KINDS,
  claims: claimsService,
  // By the name alone.
  sameClaim: (one, other) => one.metadata.name === other.metadata.name,
}

function rank(ref: KubeRef): number {
  return CONSUL_KINDS.findIndex(({ kind }) => kind === ref.kind)
}
