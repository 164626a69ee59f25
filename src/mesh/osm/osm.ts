import type { KubeRef } from '../../model/kube.ts'
import type { Provider } from '../provider.ts'
import { KUBE_SERVICE, versionServiceNames } from '../version-services.ts'
import { claimsService, sameClaim } from './claims.ts'
import { EGRESS, HTTP_ROUTE_GROUP, isOfKind, RETIRES, TRAFFIC_SETTING, TRAFFIC_SPLIT, TRAFFIC_TARGET } from './names.ts'
import { renderOsm } from './render.ts'
import { stageOsm } from './stage.ts'
import { splitWeights } from './traffic-split.ts'

/** In the order of removing: what refers to others goes before them. */
const OSM_KINDS = [TRAFFIC_SPLIT, TRAFFIC_TARGET, HTTP_ROUTE_GROUP, TRAFFIC_SETTING, EGRESS, KUBE_SERVICE]

/** Open Service Mesh 1.2 with SMI, as AKS ships it. Its objects have no status that would tell more than that they are stored. */
export const osm: Provider = {
  name: 'osm',
  kinds: OSM_KINDS,
  reach: 'stored',
  retires: RETIRES,
  versionServices: versionServiceNames,
  render: renderOsm,
  stage: stageOsm,
  liveWeights: (object) => (isOfKind(object, TRAFFIC_SPLIT) ? splitWeights(object) : undefined),
  liveSideRoutes: () => [],
  pruneOrder: (refs) => [...refs].sort((a, b) => rank(a) - rank(b)),
  conflictKinds: [TRAFFIC_SPLIT, TRAFFIC_TARGET, TRAFFIC_SETTING],
  claims: claimsService,
  sameClaim,
}

function rank(ref: KubeRef): number {
  return OSM_KINDS.findIndex(({ kind }) => kind === ref.kind)
}
