import type { Finding } from '../../mesh/lint/finding.ts'
import type { MigratedService, MigratedSpec } from '../../mesh/osm/migration/migrate.ts'
import { found } from '../../mesh/osm/migration/rules.ts'
import { canonicalJson, entityTag } from '../../model/digest.ts'
import type { ServiceDocument, TeamDocument } from '../../model/documents.ts'
import type { Failure } from '../../model/failure.ts'
import type { Caller } from '../../model/identity.ts'
import { MIGRATED_FROM, type OsmMigrationRequest } from '../../model/migration.ts'
import { timestamp } from '../../model/names.ts'
import { type ServiceSpec, serviceKey } from '../../model/service.ts'
import type { Store } from '../../ports/store.ts'
import { buildService } from '../../services/put-service.ts'
import type { HttpDeps } from '../http-deps.ts'
import type { Places } from './places.ts'
import { type Becoming, plainCallerFindings } from './plain-callers.ts'
import { renderForIstio } from './plan-objects.ts'

/** A service of a migration, and what an apply would do to what is registered. */
export interface DraftedService {
  readonly namespace: string
  readonly name: string
  /** `place`: it comes to the cluster that it waited for. `left`: a finding says why it is not registered. */
  readonly result: 'create' | 'replace' | 'place' | 'same' | 'left'
  readonly spec: ServiceSpec
  /** What would be stored; absent where it is left. */
  readonly document?: ServiceDocument
  /** Entity tag of what is registered already; absent: nothing is. */
  readonly registered?: string
}

type Deps = Pick<HttpDeps, 'store' | 'clock' | 'metrics'>

interface Drafted {
  readonly service: DraftedService
  /** What a write of it would change; absent: it is not written, or stays as it is. */
  readonly becoming?: Becoming
  readonly findings: readonly Finding[]
}

/** Gives services their team and their clusters, and checks each as a PUT would. Writes nothing. */
export async function draftServices(
  deps: Deps,
  places: Places,
  services: readonly MigratedService[],
  request: OsmMigrationRequest,
  caller: Caller,
): Promise<{ services: readonly DraftedService[]; findings: readonly Finding[] }> {
  const teams = await deps.store.all('team')
  const drafted: Drafted[] = []
  for (const service of services) drafted.push(await draft(deps, places, service, { request, caller, teams }))
  const plain = await plainCallerFindings(
    deps,
    drafted.flatMap(({ becoming }) => becoming ?? []),
  )
  return {
    services: drafted.map(({ service }) => service),
    findings: [...plain, ...drafted.flatMap(({ findings }) => findings)],
  }
}

/** The services that wait for a cluster to change its mesh. */
export async function draftHeld(store: Store, cluster: string): Promise<readonly DraftedService[]> {
  const held = (await store.all('service')).filter(({ spec, deletingAt }) => {
    return (
      deletingAt === undefined && !Array.isArray(spec.clusters) && spec.clusters.matchLabels[MIGRATED_FROM] === cluster
    )
  })
  return held.map((document): DraftedService => {
    const { namespace, name, spec, targets } = document
    if (Object.hasOwn(targets, cluster)) return { namespace, name, result: 'same', spec, document }
    const there = { ...document, targets: { ...targets, [cluster]: { stable: spec.initialVersion } } }
    return { namespace, name, result: 'place', spec, document: there }
  })
}

interface Asked {
  readonly request: OsmMigrationRequest
  readonly caller: Caller
  readonly teams: readonly TeamDocument[]
}

async function draft(deps: Deps, places: Places, service: MigratedService, asked: Asked): Promise<Drafted> {
  const { namespace, name } = service
  const key = serviceKey(namespace, name)
  const object = `service ${key}`
  const before = (await deps.store.read('service', key))?.value
  const team = asked.request.team ?? ownerOf(namespace, asked.teams)
  const waived = asked.request.accept.includes('PlainCallers') ? { waive: ['PlainCallers' as const] } : {}
  const spec = { ...service.spec, ...waived, team: team ?? 'none', clusters: clustersOf(places, before) }
  const left = (finding: Finding): Drafted => ({
    service: { namespace, name, result: 'left', spec },
    findings: [finding],
  })
  if (team === undefined) return left(found('TeamMissing', object, `No one team owns namespace ${namespace}.`))
  if (before && isSame(before.spec, spec)) {
    const registered = entityTag(key, before.spec)
    return { service: { namespace, name, result: 'same', spec, document: before, registered }, findings: [] }
  }
  const refusal = before && refuseOverwrite(places, before, asked.request.overwrite.includes(key))
  if (refusal) return left(found('AlreadyRegistered', object, `${object} is registered already.`, refusal))
  const now = timestamp(deps.clock.now())
  const built = await buildService(deps.store, before, { namespace, name, spec, caller: asked.caller, now })
  if (!built.ok) return left(refusedAs(object, built.failure))
  const { document } = built.value
  const rendered = places.stage === 'hold' ? renderForIstio(document, places) : undefined
  if (rendered && !rendered.ok) return left(refusedAs(object, rendered.failure))
  const there = before
    ? { result: 'replace' as const, registered: entityTag(key, before.spec) }
    : { result: 'create' as const }
  return { service: { namespace, name, spec, document, ...there }, becoming: { before, after: document }, findings: [] }
}

function refusedAs(object: string, { code, detail, errors }: Failure): Finding {
  const [first] = errors ?? []
  const why = first ? ` (${first.pointer} ${first.reason})` : ''
  return found('Refused', object, `${code}: ${detail}${why}`, first ? { field: first.pointer } : {})
}

/** The team that alone owns a namespace. */
function ownerOf(namespace: string, teams: readonly TeamDocument[]): string | undefined {
  const owners = teams.filter(({ spec }) => spec.namespaces.includes(namespace))
  return owners.length === 1 ? owners[0]?.name : undefined
}

/** On the target, beside the clusters that the service names already; in place by a label that the cluster has yet to get. */
function clustersOf({ stage, source, place }: Places, before: ServiceDocument | undefined): ServiceSpec['clusters'] {
  if (stage !== 'target') return { matchLabels: { [MIGRATED_FROM]: source.name } }
  const named = before && Array.isArray(before.spec.clusters) ? before.spec.clusters : []
  return [...new Set([...named, place.name])].sort()
}

function isSame(before: ServiceSpec, spec: MigratedSpec & Pick<ServiceSpec, 'team' | 'clusters'>): boolean {
  return canonicalJson(before) === canonicalJson(spec)
}

/** Why a registered service stays as it is; undefined: it may be replaced. */
function refuseOverwrite(
  { stage, source }: Places,
  before: ServiceDocument,
  isNamed: boolean,
): { readonly fix?: string } | undefined {
  if (stage === 'hold' && Object.hasOwn(before.targets, source.name)) {
    return { fix: 'It follows the mesh by itself: look at its plan before the switch, and change it yourself.' }
  }
  if (!Array.isArray(before.spec.clusters) && before.spec.clusters.matchLabels[MIGRATED_FROM] !== source.name) {
    return { fix: 'It chooses its clusters by label: change it yourself.' }
  }
  return isNamed ? undefined : {}
}
