import type { Provider } from '../../mesh/provider.ts'
import { type ImportFinding, importFinding } from '../../mesh/read/codes.ts'
import type { KubeService } from '../../mesh/read/kube-service.ts'
import { readService, type ServiceReading } from '../../mesh/read/read-service.ts'
import type { SeenObjects } from '../../mesh/read/reader.ts'
import type { TeamDocument } from '../../model/documents.ts'
import type { Failure } from '../../model/failure.ts'
import { timestamp } from '../../model/names.ts'
import type { RequestContext } from '../../model/request.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { ClusterApis } from '../../ports/cluster-api.ts'
import { buildService, type PutServiceDeps, putService } from '../put-service.ts'

export interface ImportDeps extends PutServiceDeps {
  readonly clusters: ClusterApis
}

/** What became of one service. */
export interface ImportedService {
  readonly service: string
  /** `registered`: it was there before, and stays as it is. `planned`: it would be created. */
  readonly result: 'created' | 'planned' | 'registered' | 'failed'
  readonly objects: ServiceReading['objects']
  readonly findings: readonly ImportFinding[]
  readonly spec?: ServiceSpec
  readonly failure?: Pick<Failure, 'code' | 'detail' | 'errors'>
}

/** A mesh whose objects can be read. */
export type ReadingProvider = Provider & Required<Pick<Provider, 'reader'>>

/** `shop/web` */
export function keyOf({ namespace, name }: Pick<KubeService, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** One service that is to be imported, and what was seen beside it. */
export interface One {
  readonly cluster: string
  readonly team?: string | undefined
  readonly isDone: boolean
  readonly provider: ReadingProvider
  readonly seen: SeenObjects
  readonly teams: readonly TeamDocument[]
  readonly service: KubeService
}

/** Reads one service and registers it, or says why not; one that is registered stays as it is. */
export async function importOne(deps: ImportDeps, one: One, context: RequestContext): Promise<ImportedService> {
  const { cluster, provider, seen, service, isDone } = one
  const key = keyOf(service)
  const team = teamOf(one)
  const base = { team: team ?? 'unknown', clusters: [cluster] }
  const reading = readService(provider, service, seen, base)
  const { objects, spec, errors, findings } = reading ?? { objects: [], findings: [] }
  const read = { service: key, objects, findings }
  if (await deps.store.read('service', key)) return { ...read, result: 'registered', findings: [registered(key)] }
  if (!spec) {
    const detail = `Nothing can be registered for Service ${key} as it is.`
    return { ...read, result: 'failed', failure: { code: 'InvalidCombination', detail, ...(errors ? { errors } : {}) } }
  }
  if (team === undefined) {
    const message = `Namespace ${service.namespace} belongs to no one team.`
    return { ...read, spec, result: 'failed', findings: [...findings, importFinding('NoTeam', message)] }
  }
  return register(deps, { ...read, spec }, service, isDone, context)
}

/** As the body names it, else the only team that owns the namespace. */
function teamOf({ team, teams, service }: One): string | undefined {
  if (team !== undefined) return team
  const [owner, ...others] = teams.filter(({ spec }) => spec.namespaces.includes(service.namespace))
  return others.length === 0 ? owner?.name : undefined
}

function registered(key: string): ImportFinding {
  return importFinding('AlreadyRegistered', `Service ${key} is registered.`)
}

type Read = Pick<ImportedService, 'service' | 'objects' | 'findings'> & { readonly spec: ServiceSpec }

async function register(
  deps: ImportDeps,
  read: Read,
  { namespace, name }: KubeService,
  isDone: boolean,
  context: RequestContext,
): Promise<ImportedService> {
  const { spec } = read
  if (!isDone) {
    const now = timestamp(deps.clock.now())
    const built = await buildService(deps.store, undefined, { namespace, name, spec, caller: context.caller, now })
    return built.ok ? { ...read, result: 'planned' } : refused(read, built.failure)
  }
  const { idempotency: _, ifMatch: _m, ...rest } = context
  const put = await putService(deps, namespace, name, spec, { ...rest, createOnly: true })
  if (put.ok) return { ...read, result: 'created' }
  // Someone was first, between the look and the write.
  if (put.failure.code === 'PreconditionFailed')
    return { ...read, result: 'registered', findings: [registered(read.service)] }
  return refused(read, put.failure)
}

/** Who may not reach the service is not shown what was read of it. */
function refused({ spec, ...read }: Read, failure: Failure): ImportedService {
  const isShown = failure.code !== 'Forbidden'
  return { ...read, ...(isShown ? { spec } : {}), result: 'failed', failure: shown(failure) }
}

function shown({ code, detail, errors }: Failure): NonNullable<ImportedService['failure']> {
  return { code, detail, ...(errors ? { errors } : {}) }
}
