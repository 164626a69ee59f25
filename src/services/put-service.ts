import { SCHEMA, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import { type ServiceSpec, serviceKey } from '../model/service.ts'
import type { Clock } from '../ports/clock.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { checkReferences, checkStoredTeam } from './check-references.ts'
import { retarget } from './choose-clusters.ts'
import { liveConflict } from './live-conflicts.ts'
import { reconcileWork, serviceEvent } from './service-event.ts'

/** Registers a service, or replaces what is wanted of it. One write: the outbox carries the work for every cluster. */
export async function putService(
  deps: { readonly store: Store; readonly clock: Clock },
  namespace: string,
  name: string,
  spec: ServiceSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<ServiceDocument>>> {
  const key = serviceKey(namespace, name)
  return putDocument(deps, {
    kind: 'service',
    key,
    spec,
    context,
    build: async (before, now) => {
      const foreign = before && (await checkStoredTeam(deps.store, context.caller, before))
      if (foreign) return { ok: false, failure: foreign }
      if (before?.deletingAt) return fail('Deleting', `Service ${key} is being deleted.`)
      const references = await checkReferences(deps.store, context.caller, namespace, name, spec)
      if (!references.ok) return references
      const conflict = before && liveConflict(before, spec, references.value)
      if (conflict) return { ok: false, failure: conflict }
      const document = nextDocument(before, { namespace, name, spec, chosen: references.value, context, now })
      return succeed({ document, warnings: initialVersionWarning(before, spec) })
    },
  })
}

interface NextInput {
  readonly namespace: string
  readonly name: string
  readonly spec: ServiceSpec
  readonly chosen: readonly string[]
  readonly context: RequestContext
  readonly now: string
}

function nextDocument(before: ServiceDocument | undefined, input: NextInput): ServiceDocument {
  const { namespace, name, spec, now } = input
  const key = serviceKey(namespace, name)
  const generation = (before?.generation ?? 0) + 1
  const renderRevision = before ? before.renderRevision + 1 : Math.floor(Date.parse(now) / 1000)
  const { targets, leaving } = retarget(before, input.chosen, spec.initialVersion)
  const event = serviceEvent(key, before ? 'service.changed' : 'service.registered', {
    id: String(renderRevision),
    time: now,
    actor: actorOf(input.context.caller),
    reason: before ? 'Changed' : 'Registered',
    message: before ? `Service ${key} was changed.` : `Service ${key} was registered.`,
    data: { generation, clusters: Object.keys(targets) },
  })
  return {
    rollouts: [],
    ...before,
    schema: SCHEMA,
    kind: 'service',
    namespace,
    name,
    spec,
    generation,
    renderRevision,
    targets,
    leaving,
    idempotency: [],
    outbox: [
      ...(before?.outbox ?? []),
      event,
      ...reconcileWork(key, [...Object.keys(targets), ...leaving], renderRevision),
    ],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  }
}

function initialVersionWarning(before: ServiceDocument | undefined, spec: ServiceSpec): readonly string[] {
  if (!before || before.spec.initialVersion === spec.initialVersion) return []
  return [
    `initialVersion is now ${spec.initialVersion}; it counts only for clusters that the service comes to later. Where it is already, a rollout moves stable.`,
  ]
}
