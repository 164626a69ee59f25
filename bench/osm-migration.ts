import { migrateOsm } from '../src/mesh/osm/migration/migrate.ts'
import type { OsmObjects } from '../src/mesh/osm/migration/objects.ts'
import {
  deployment,
  meshConfig,
  namespace,
  object,
  osmObjects,
  routeGroup,
  service,
  trafficTarget,
} from '../test/unit/mesh/osm/migration/demo.ts'
import { type Figure, median } from './figure.ts'

const NAMESPACES = 50
const PODS = 5
const ROUNDS = 5

/** What Open Service Mesh enforces for a thousand services, with five Pods and two callers each, in neutral words. */
export async function osmMigration(): Promise<readonly Figure[]> {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const objects = clusterOf(1000)
    const startedAt = performance.now()
    const { services, findings } = migrateOsm(objects)
    if (services.length !== 1000 || findings.length > 0) throw new Error('not all services were carried whole')
    return performance.now() - startedAt
  })
  return [{ name: 'migration: 1,000 services of Open Service Mesh', value: median(rounds), unit: 'ms' }]
}

function clusterOf(count: number): OsmObjects {
  const all = Array.from({ length: count }, (_, at) => at)
  const of = (at: number) => `ns-${at % NAMESPACES}`
  const caller = (at: number) => `${of(at)}/account-${at % count}`
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }]
  const rules = (at: number) => [{ kind: 'HTTPRouteGroup', name: `routes-${at}`, matches: ['api', 'one'] }]
  const matches = [
    { name: 'api', pathRegex: '/api/.*', methods: ['GET'] },
    { name: 'one', pathRegex: '/one' },
  ]
  const pod = (at: number, index: number) => {
    const labels = { app: `service-${at}`, 'osm-proxy-uuid': 'x' }
    return object('pods', of(at), `service-${at}-${index}`, {
      metadata: { labels },
      spec: { serviceAccountName: `account-${at}` },
    })
  }
  return osmObjects({
    meshConfigs: [meshConfig(false)],
    namespaces: Array.from({ length: NAMESPACES }, (_, at) => namespace(of(at))),
    services: all.map((at) => service(of(at), `service-${at}`, { app: `service-${at}` }, ports)),
    deployments: all.map((at) => deployment(of(at), `service-${at}`, { app: `service-${at}` }, `account-${at}`)),
    pods: all.flatMap((at) => Array.from({ length: PODS }, (_, index) => pod(at, index))),
    trafficTargets: all.map((at) =>
      trafficTarget(of(at), `target-${at}`, `account-${at}`, [caller(at + 1), caller(at + 2)], rules(at)),
    ),
    routeGroups: all.map((at) => routeGroup(of(at), `routes-${at}`, matches)),
  })
}
