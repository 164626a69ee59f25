import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import { entityTag } from '../model/digest.ts'
import type { DocumentKind, DocumentOf, OwnedDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { remember, replayOf } from '../model/idempotency.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import { type Change, changeDocument } from './change-document.ts'
import type { Clock } from './clock.ts'
import type { Store } from './store.ts'

/** Kinds that users own whole, by PUT. */
export type OwnedKind = {
  [K in DocumentKind]: DocumentOf[K] extends OwnedDocument<string, unknown> ? K : never
}[DocumentKind]

export interface PutOutcome<D> {
  readonly status: 'created' | 'updated' | 'unchanged'
  readonly document: D
  readonly warnings: readonly string[]
}

export interface PutRequest<K extends OwnedKind> {
  readonly kind: K
  readonly key: string
  readonly spec: DocumentOf[K]['spec']
  readonly context: RequestContext
  /** Why the caller may not touch the document that is there, even to leave it as it is. */
  admit?(before: DocumentOf[K]): Promise<Failure | undefined>
  /** The whole new document from the one before: checks, raises what must rise, appends to the outbox. Free of effects. */
  build(
    before: DocumentOf[K] | undefined,
    now: string,
  ): Promise<Result<{ document: DocumentOf[K]; warnings?: readonly string[] }>>
  /** What must stand elsewhere before the document is written, and does no harm if it never is. May find that it cannot be. */
  reserve?(next: DocumentOf[K]): Promise<Failure | undefined>
}

/**
 * Create or replace by PUT: preconditions, idempotency key, one conditional write with its audit record. A spec that is the
 * same writes nothing.
 */
export async function putDocument<K extends OwnedKind>(
  deps: { readonly store: Store; readonly clock: Clock },
  request: PutRequest<K>,
): Promise<Result<PutOutcome<DocumentOf[K]>>> {
  type Document = DocumentOf[K]
  const { kind, key, spec, context } = request
  const changed = await changeDocument(
    deps.store,
    kind,
    key,
    async (stored): Promise<Result<Change<Document, Outcome>>> => {
      const before = stored?.value
      const refused = before && (await request.admit?.(before))
      if (refused) return { ok: false, failure: refused }
      const replay = replayOf(before?.idempotency ?? [], context.idempotency)
      if (!replay.ok) return replay
      if (replay.value)
        return succeed({ kind: 'leave', value: outcome(replay.value.status === 201 ? 'created' : 'updated') })
      const failed = checkPreconditions(key, before?.spec, context)
      if (failed) return { ok: false, failure: failed }
      if (before && entityTag(key, before.spec) === entityTag(key, spec) && !('deletingAt' in before)) {
        const value = outcome('unchanged')
        if (!context.idempotency) return succeed({ kind: 'leave', value })
        // Remembered all the same: should the spec change and this request come again, it must not undo the change.
        const answer = { at: timestamp(deps.clock.now()), status: 200, result: null }
        const document = { ...before, idempotency: remember(before.idempotency, context.idempotency, answer) }
        return succeed({ kind: 'write', document, value })
      }
      const now = timestamp(deps.clock.now())
      const built = await request.build(before, now)
      if (!built.ok) return built
      const unreserved = await request.reserve?.(built.value.document)
      if (unreserved) return { ok: false, failure: unreserved }
      const value = outcome(before ? 'updated' : 'created', built.value.warnings)
      const answer = { at: now, status: before ? 200 : 201, result: null }
      const idempotency = remember(before?.idempotency ?? [], context.idempotency, answer)
      const { document } = built.value
      const outbox = [...document.outbox, auditOf(request, before, document, now)]
      return succeed({ kind: 'write', document: { ...document, idempotency, outbox }, value })
    },
  )
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  if (!document) return fail('WriteConflict', `${kind} ${key} was removed while it was written.`)
  return succeed({ ...changed.value.value, document })
}

function auditOf<K extends OwnedKind>(
  { kind, key, spec, context }: PutRequest<K>,
  before: DocumentOf[K] | undefined,
  after: DocumentOf[K],
  now: string,
): OutboxEntry {
  return auditEntry({
    action: `${kind}.put`,
    subject: auditSubject(kind, key),
    unique: `${after.createdAt}.${after.generation}`,
    time: now,
    context,
    before: before?.spec,
    after: spec,
  })
}

interface Outcome {
  readonly status: PutOutcome<unknown>['status']
  readonly warnings: readonly string[]
}

function outcome(status: Outcome['status'], warnings: readonly string[] = []): Outcome {
  return { status, warnings }
}

/** If-Match and If-None-Match (RFC 9110 §13) against what is stored; undefined when they hold. */
export function checkPreconditions(key: string, spec: unknown, context: RequestContext): Failure | undefined {
  if (context.createOnly && spec !== undefined) {
    return failure('It exists already.', 'header/if-none-match')
  }
  if (!context.ifMatch) return undefined
  if (spec === undefined) return failure('It does not exist.', 'header/if-match')
  if (context.ifMatch.includes('*') || context.ifMatch.includes(entityTag(key, spec))) return undefined
  return failure('It has changed since it was read.', 'header/if-match')
}

function failure(reason: string, pointer: string): Failure {
  return fail('PreconditionFailed', reason, { errors: [{ pointer, reason }] }).failure
}
