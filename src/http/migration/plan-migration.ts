import { findOsmController, podsWithoutProxy, readOsm } from '../../clusters/read-osm.ts'
import type { Finding } from '../../mesh/lint/finding.ts'
import { isAsBad } from '../../mesh/lint/finding.ts'
import { type Migration, migrateOsm } from '../../mesh/osm/migration/migrate.ts'
import { found } from '../../mesh/osm/migration/rules.ts'
import { digest } from '../../model/digest.ts'
import type { ClusterDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import type { Caller } from '../../model/identity.ts'
import type { OsmMigrationRequest } from '../../model/migration.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { HttpDeps } from '../http-deps.ts'
import { type DraftedService, draftHeld, draftServices } from './draft-services.ts'
import { findPlaces, type Places, refuseMigration } from './places.ts'

/** What a migration would do. */
export interface MigrationPlan {
  readonly places: Places
  /** `permissive` is absent where Open Service Mesh is gone and nobody can tell any more. */
  readonly migration: Pick<Migration, 'callers' | 'namespaces'> & Partial<Pick<Migration, 'permissive'>>
  readonly services: readonly DraftedService[]
  readonly findings: readonly Finding[]
  /** Findings that hold it up. */
  readonly blocking: readonly Finding[]
  /** Of what would be registered, where, and what was found: an apply that names it does this and nothing else. */
  readonly digest: string
}

type Deps = Pick<HttpDeps, 'store' | 'clock' | 'clusters' | 'metrics'>

/** Looks at the cluster and says what a migration would do. Writes nothing. */
export async function planMigration(
  deps: Deps,
  cluster: string,
  request: OsmMigrationRequest,
  caller: Caller,
): Promise<Result<MigrationPlan>> {
  const places = await findPlaces(deps.store, cluster, request, deps.clock.now())
  if (!places.ok) return places
  if (places.value.stage === 'switch') return planSwitch(deps, places.value, request)
  return planCarrying(deps, places.value, request, caller)
}

async function planCarrying(
  deps: Deps,
  places: Places,
  request: OsmMigrationRequest,
  caller: Caller,
): Promise<Result<MigrationPlan>> {
  const objects = await lookAt(deps, places.source, readOsm)
  if (!objects.ok) return objects
  const { services, findings, ...migration } = migrateOsm(objects.value, request.replace)
  const drafted = await draftServices(deps, places, services, request, caller)
  const all = [...findings, ...drafted.findings, ...observing(places)]
  return succeed(planOf(places, request, migration, drafted.services, all))
}

/** In place, Istio being there: the services that wait for it. */
async function planSwitch(deps: Deps, places: Places, request: OsmMigrationRequest): Promise<Result<MigrationPlan>> {
  const { source } = places
  const services = await draftHeld(deps.store, source.name)
  if (services.length === 0)
    return refuseMigration('path/cluster', 'has Istio, and no service waits for it', NONE_WAITS)
  const seen = await lookAt(deps, source, async (api) => ({
    controller: await findOsmController(api),
    plain: source.mesh ? await podsWithoutProxy(api, source.mesh, services) : [],
  }))
  if (!seen.ok) return seen
  const { controller, plain } = seen.value
  const cluster = `cluster ${source.name}`
  const findings = [
    ...(controller === 'there'
      ? [found('BothMeshes', cluster, `Cluster ${source.name} has a Deployment of osm-controller.`)]
      : []),
    ...(controller === 'unseen'
      ? [found('NotSeen', cluster, 'Deployments may not be listed: osm-controller may be there still.')]
      : []),
    ...(plain.length > 0
      ? [found('PodsNotRestarted', cluster, `${plain.length} Pods: ${plain.slice(0, 5).join(', ')}.`)]
      : []),
  ]
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))].sort()
  return succeed(planOf(places, request, { callers: [], namespaces }, services, findings))
}

const NONE_WAITS =
  'Where Open Service Mesh is still there, name it: PATCH the cluster with { "mesh": { "provider": "osm" } }.'

async function lookAt<T>(
  deps: Deps,
  cluster: ClusterDocument,
  read: (api: ClusterApi) => Promise<T>,
): Promise<Result<T>> {
  try {
    return succeed(await read(await deps.clusters.connect(cluster)))
  } catch (error) {
    if (!isPortError(error)) throw error
    return fail('Unavailable', `Cluster ${cluster.name} does not answer: ${error.message}`, {
      retryAfterMs: error.retryAfterMs ?? 5000,
    })
  }
}

function observing({ stage, place }: Places): readonly Finding[] {
  if (stage !== 'target' || place.spec.mode === 'manage') return []
  return [found('TargetObserves', `cluster ${place.name}`, `Cluster ${place.name} is in observe.`)]
}

function planOf(
  places: Places,
  request: OsmMigrationRequest,
  migration: MigrationPlan['migration'],
  services: readonly DraftedService[],
  findings: readonly Finding[],
): MigrationPlan {
  const { stage, source, place } = places
  const blocking = findings.filter(({ code, severity }) => isAsBad(severity, 'error') && !request.accept.includes(code))
  const content = services.map(({ namespace, name, result, spec }) => ({
    namespace,
    name,
    left: result === 'left',
    spec,
  }))
  return {
    places,
    migration,
    services,
    findings,
    blocking,
    digest: digest(stage, source.name, place.name, request.inPlace, content, contentOf(findings)),
  }
}

/** What was found, without the names of Pods, which come and go. */
function contentOf(findings: readonly Finding[]): readonly string[] {
  const texts = findings.map(
    ({ code, object = '', field = '' }) => `${code} ${object.replace(/^Pod .*/, 'Pod')} ${field}`,
  )
  return [...new Set(texts)].sort()
}
