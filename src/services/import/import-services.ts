import { type ImportFinding, importFinding } from '../../mesh/read/codes.ts'
import { type KubeService, readKubeService } from '../../mesh/read/kube-service.ts'
import type { SeenObjects } from '../../mesh/read/reader.ts'
import { requireProvider } from '../../mesh/registry.ts'
import { belongsTo } from '../../model/access.ts'
import type { ProviderName } from '../../model/cluster.ts'
import type { ClusterDocument, TeamDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { hasRole } from '../../model/identity.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { RequestContext } from '../../model/request.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { Store } from '../../ports/store.ts'
import { gatherSeen } from './gather-seen.ts'
import { type ImportDeps, type ImportedService, importOne, keyOf, type ReadingProvider } from './import-one.ts'

/** What is to be read of a cluster. */
export interface ImportRequest {
  readonly cluster: string
  /** All of them when left out. */
  readonly namespaces?: readonly string[] | undefined
  /** Of services in namespaces that several teams own. */
  readonly team?: string | undefined
  /** Register what was read; else nothing is written anywhere. */
  readonly isDone: boolean
  /** The last service of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** One page of an import. */
export interface Import {
  readonly provider: ProviderName
  readonly value: readonly ImportedService[]
  /** Of objects that are for no one service; on the first page. */
  readonly findings: readonly ImportFinding[]
  /** The place behind the last service; absent: there are no more. */
  readonly next?: string
}

/**
 * Reads what others wrote for the mesh of a cluster as services in observe: who is no operator sees the namespaces of their teams alone. Nothing is written to the cluster, ever. A service that is
 * registered is told and left as it is, so the same import again creates nothing.
 */
export async function importServices(
  deps: ImportDeps,
  request: ImportRequest,
  context: RequestContext,
): Promise<Result<Import>> {
  const found = await meshOn(deps.store, request.cluster)
  if (!found.ok) return found
  const { cluster, provider } = found.value
  const teams = await deps.store.all('team')
  const reaches = reachOf(context, teams)
  const foreign = request.namespaces?.filter((namespace) => !reaches(namespace)) ?? []
  if (foreign.length > 0)
    return fail('Forbidden', `${context.caller.name} belongs to no team that owns ${foreign.join(', ')}.`)
  try {
    const api = await deps.clusters.connect(cluster)
    const { seen, findings } = await gatherSeen(api, provider.reader, cluster, found.value.mesh)
    const all = subjectsOf(seen, provider)
    const chosen = all.filter(({ service }) => isAsked(service, request) && reaches(service.namespace))
    const page = chosen.slice(0, request.limit)
    const value: ImportedService[] = []
    for (const { service } of page)
      value.push(await importOne(deps, { ...request, provider, seen, teams, service }, context))
    const last = page.at(-1)?.service
    const taken = new Set(all.flatMap(({ objects }) => objects))
    const visible = { ...seen, objects: seen.objects.filter(({ metadata }) => reaches(metadata.namespace)) }
    return succeed({
      provider: provider.name,
      value,
      findings: request.after === undefined ? [...findings, ...bounded(provider.reader.left(visible, taken))] : [],
      ...(last && page.length < chosen.length ? { next: keyOf(last) } : {}),
    })
  } catch (error) {
    if (!isPortError(error)) throw error
    if (error.kind === 'denied' && error.reason !== 'TokenRefused') return denied(request.cluster, error.message)
    return fail('Unavailable', `Cluster ${request.cluster} does not answer: ${error.message}`)
  }
}

async function meshOn(store: Store, name: string) {
  const cluster = (await store.read('cluster', name))?.value
  if (!cluster) return fail('NotFound', `There is no cluster ${name}.`)
  if (cluster.deletingAt !== undefined) return fail('Deleting', `Cluster ${name} is being deleted.`)
  const named = cluster.spec.mesh?.provider
  const mesh = named === undefined || named === cluster.mesh?.provider ? cluster.mesh : { provider: named }
  if (!mesh) {
    const hint = 'Wait for its probe, or name the provider in mesh of the cluster.'
    return fail('Conflict', `The mesh of cluster ${name} is not known yet.`, { hint })
  }
  const provider = requireProvider(mesh.provider)
  if (!provider.ok) return provider
  const { reader } = provider.value
  if (!reader) return fail('UnsupportedFeature', `Objects of ${mesh.provider} are not read yet.`)
  return succeed({
    cluster: cluster as ClusterDocument,
    mesh,
    provider: { ...provider.value, reader } as ReadingProvider,
  })
}

function denied(cluster: string, reason: string) {
  return fail('Conflict', `Meshwright may not list the Services of cluster ${cluster}: ${reason}`, {
    hint: `Bind infra/kubernetes/import-role.yaml there; GET /clusters/${cluster}/access?for=import lists what is missing.`,
  })
}

/** Whose services and objects a caller is shown: those of all namespaces, or of the namespaces of their teams. */
function reachOf({ caller }: RequestContext, teams: readonly TeamDocument[]): (namespace?: string) => boolean {
  if (hasRole(caller, 'Mesh.Operator')) return () => true
  const own = teams.filter(({ spec }) => belongsTo(caller, spec)).flatMap(({ spec }) => spec.namespaces)
  return (namespace) => namespace !== undefined && own.includes(namespace)
}

interface Subject {
  readonly service: KubeService
  /** Those that were chosen for it, in force or not. */
  readonly objects: readonly KubeObject[]
}

/** Services that some object is for, in the order of their keys. */
function subjectsOf(seen: SeenObjects, { reader }: ReadingProvider): readonly Subject[] {
  return seen.services
    .flatMap((object): readonly Subject[] => {
      const service = readKubeService(object)
      const chosen = reader.choose(service, seen)
      return chosen ? [{ service, objects: [...chosen.objects, ...chosen.idle] }] : []
    })
    .sort((a, b) => (keyOf(a.service) < keyOf(b.service) ? -1 : 1))
}

function isAsked(service: KubeService, { namespaces, after }: ImportRequest): boolean {
  if (namespaces && !namespaces.includes(service.namespace)) return false
  return after === undefined || keyOf(service) > after
}

/** Most findings on objects that are for no one service. */
const MOST = 500

function bounded(findings: readonly ImportFinding[]): readonly ImportFinding[] {
  if (findings.length <= MOST) return findings
  const more = `${findings.length - MOST} more objects are for no one service.`
  return [...findings.slice(0, MOST), importFinding('Unattached', more)]
}
