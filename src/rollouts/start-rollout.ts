import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import { shortId } from '../model/digest.ts'
import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout, RolloutRequest } from '../model/rollout.ts'
import { type ServiceKey, serviceKey, splitServiceKey } from '../model/service.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Random } from '../ports/random.ts'
import { checkTeam } from './check-team.ts'
import { type DraftDeps, draftRollout } from './draft-rollout.ts'
import { findRollout } from './read-rollout.ts'

export interface StartDeps extends DraftDeps {
  readonly random: Random
}

/**
 * Starts a rollout of a candidate. One write of the service document; the outbox carries on. `retryOf` is the rollout that
 * it does anew.
 */
export async function startRollout(
  deps: StartDeps,
  namespace: string,
  name: string,
  request: RolloutRequest,
  context: RequestContext,
  retryOf?: string,
): Promise<Result<Rollout>> {
  const key = serviceKey(namespace, name)
  const id = idByKey(key, context) ?? `${namespace}.${name}.${shortId(10, deps.random.uuid())}`
  const changed = await changeDocument(
    deps.store,
    'service',
    key,
    async (stored): Promise<Result<Change<ServiceDocument, string>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no service ${key}.`)
      const reach = await checkTeam(deps.store, before, context)
      if (!reach.ok) return reach
      const replay = replayOf(before.idempotency, context.idempotency)
      if (!replay.ok) return replay
      if (replay.value) return succeed({ kind: 'leave', value: String(replay.value.result) })
      // The document remembers a key for a day; the rollout that it started is kept.
      if (context.idempotency && (await findRollout(deps.store, id))) return succeed({ kind: 'leave', value: id })
      // Our own write, whose answer was lost.
      if (before.rollouts.some((rollout) => rollout.id === id)) return succeed({ kind: 'leave', value: id })
      if (before.deletingAt) return fail('Deleting', `Service ${key} is being deleted.`)
      const drafted = await draftRollout(deps, before, { id, request, context, isRetry: retryOf !== undefined })
      if (!drafted.ok) return drafted
      const { document, rollout } = drafted.value
      const answer = { at: rollout.startedAt, status: 201, result: id }
      const idempotency = remember(before.idempotency, context.idempotency, answer)
      const outbox = [...document.outbox, startEntry(document, rollout, context, retryOf)]
      return succeed({ kind: 'write', document: { ...document, idempotency, outbox }, value: id })
    },
  )
  if (!changed.ok) return changed
  const { value: started, stored } = changed.value
  const rollout =
    stored?.value.rollouts.find((one) => one.id === started) ??
    (await findRollout(deps.store, started, stored?.session))
  return rollout ? succeed(rollout) : fail('NotFound', `There is no rollout ${started}.`)
}

/** The id of the rollout that a request with this key starts, however often it comes; undefined: it has no key. */
export function idByKey(service: ServiceKey, { idempotency: key }: RequestContext): string | undefined {
  if (!key) return undefined
  const { namespace, name } = splitServiceKey(service)
  return `${namespace}.${name}.${shortId(10, key.id)}`
}

function startEntry(
  service: ServiceDocument,
  rollout: Rollout,
  context: RequestContext,
  retryOf: string | undefined,
): OutboxEntry {
  const { id, phase, weight, candidate, targets, strategy, startedAt, source } = rollout
  const version = service.spec.versions[candidate]
  const clusters = targets.map(({ cluster, stable }) => ({ cluster, stable }))
  const known = { service: keyOf(service), candidate, version, clusters, strategy, phase, weight }
  return auditEntry({
    action: retryOf === undefined ? 'rollout.start' : 'rollout.retry',
    subject: auditSubject('rollout', id),
    unique: startedAt,
    time: startedAt,
    context,
    after: { ...known, ...(source ? { source } : {}), ...(retryOf === undefined ? {} : { retryOf }) },
    runUrl: source?.runUrl,
    fromRun: retryOf === undefined,
  })
}
