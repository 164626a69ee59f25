import type { ServiceDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { claimsOf, hostsOf } from '../model/host.ts'
import type { Caller } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import { type ServiceSpec, serviceKey } from '../model/service.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { checkPolicies, policyFields } from './check-policies.ts'
import { allClusters, checkReferences, checkStoredTeam } from './check-references.ts'
import { checkStrict } from './check-strict.ts'
import { checkExposure } from './hosts/check-exposure.ts'
import { reserveHosts } from './hosts/reserve-hosts.ts'
import { liveConflict } from './live-conflicts.ts'
import { nextService } from './next-service.ts'
import { holdWords } from './words/hold-words.ts'

export interface PutServiceDeps {
  readonly store: Store
  readonly clock: Clock
  /** Who calls now is looked at before mutual TLS becomes strict. */
  readonly metrics: MetricsSources
}

/**
 * Registers a service, or replaces what is wanted of it. One write: the outbox carries the work for every cluster.
 * `stable` is for imports: what is stable on clusters that the service is new to, in place of the initial version.
 */
export async function putService(
  deps: PutServiceDeps,
  namespace: string,
  name: string,
  spec: ServiceSpec,
  context: RequestContext,
  stable: Readonly<Record<string, string>> = {},
): Promise<Result<PutOutcome<ServiceDocument>>> {
  const key = serviceKey(namespace, name)
  return putDocument(deps, {
    kind: 'service',
    key,
    spec,
    context,
    admit: (before) => checkStoredTeam(deps.store, context.caller, before),
    build: async (before, now) => {
      const change = { namespace, name, spec, stable, caller: context.caller, now }
      const built = await buildService(deps.store, before, change)
      if (!built.ok) return built
      const strict = await checkStrict(deps, before, built.value.document)
      if (!strict.ok) return strict
      return succeed({ ...built.value, warnings: [...built.value.warnings, ...strict.value] })
    },
    reserve: (next) => reserveExposure(deps, next),
  })
}

/** Paths of hosts are set aside before the service is written: a worker finds who came for them. */
async function reserveExposure(
  deps: { readonly store: Store; readonly clock: Clock },
  next: ServiceDocument,
): Promise<Failure | undefined> {
  if (hostsOf(next.spec).length === 0) return undefined
  const clusters = (await allClusters(deps.store)).filter(({ name }) => Object.hasOwn(next.targets, name))
  return reserveHosts(deps, serviceKey(next.namespace, next.name), claimsOf(next, clusters))
}

/** What a service would become. */
export interface ServiceChange {
  readonly namespace: string
  readonly name: string
  readonly spec: ServiceSpec
  readonly caller: Caller
  /** RFC 3339. */
  readonly now: string
  /** What is stable on clusters that the service is new to, by cluster; elsewhere it stays as it is. */
  readonly stable?: Readonly<Record<string, string>>
}

/** Checks a change of a service against all that it refers to, and builds the whole new document. Writes nothing. */
export async function buildService(
  store: Store,
  before: ServiceDocument | undefined,
  change: ServiceChange,
): Promise<Result<{ document: ServiceDocument; warnings: readonly string[] }>> {
  const { namespace, name, spec, caller } = change
  const foreign = before && (await checkStoredTeam(store, caller, before))
  if (foreign) return { ok: false, failure: foreign }
  if (before?.deletingAt) return fail('Deleting', `Service ${serviceKey(namespace, name)} is being deleted.`)
  const references = await checkReferences(store, caller, namespace, spec)
  if (!references.ok) return references
  const clusters = references.value
  const policies = await store.all('policy')
  const carried = policyFields(before, { namespace, name, spec }, clusters, policies)
  const chosen = clusters.map((cluster) => cluster.name).sort()
  const refused =
    checkPolicies({ namespace, name, spec, ...carried }, clusters, policies) ??
    (before && liveConflict(before, spec, chosen)) ??
    (await checkExposure(store, { namespace, name, spec, ...carried, clusters }))
  if (refused) return { ok: false, failure: refused }
  const next = { namespace, name, spec, ...carried, generation: (before?.generation ?? 0) + 1 }
  const { spread, warnings } = holdWords(before, next, clusters, change.now)
  const document = nextService(before, { ...change, clusters, carried, spread })
  return succeed({ document, warnings: [...initialVersionWarning(before, spec), ...warnings] })
}

function initialVersionWarning(before: ServiceDocument | undefined, spec: ServiceSpec): readonly string[] {
  if (!before || before.spec.initialVersion === spec.initialVersion) return []
  return [
    `initialVersion is now ${spec.initialVersion}; it counts only for clusters that the service comes to later. Where it is already, a rollout moves stable.`,
  ]
}
