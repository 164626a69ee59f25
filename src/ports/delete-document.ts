import { auditEntry, auditSubject } from '../model/audit-entry.ts'
import type { DocumentOf } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import { changeDocument } from './change-document.ts'
import type { Clock } from './clock.ts'
import { checkPreconditions, type OwnedKind } from './put-document.ts'
import type { Store } from './store.ts'

/**
 * Removes a document that nothing on any cluster hangs on, and keeps an audit record of it. `refuse` names what stands in
 * the way.
 */
export async function deleteDocument<K extends OwnedKind>(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  kind: K,
  key: string,
  context: RequestContext,
  refuse: (document: DocumentOf[K]) => Promise<Failure | undefined> = async () => undefined,
): Promise<Result<undefined>> {
  const changed = await changeDocument(store, kind, key, async (stored) => {
    if (!stored) return fail('NotFound', `There is no ${kind} ${key}.`)
    const failed = checkPreconditions(key, stored.value.spec, context) ?? (await refuse(stored.value))
    if (failed) return { ok: false, failure: failed }
    const last = [removalEntry(kind, key, stored.value, context, timestamp(clock.now()))]
    return succeed({ kind: 'remove' as const, value: undefined, last })
  })
  return changed.ok ? succeed(undefined) : changed
}

/**
 * The audit record of a removal, or of the write that begins one. Its id follows from what is removed and by whom: a
 * removal that is tried again after an error is one record.
 */
export function removalEntry<K extends OwnedKind>(
  kind: K,
  key: string,
  document: DocumentOf[K],
  context: RequestContext,
  now: string,
): OutboxEntry {
  return auditEntry({
    action: `${kind}.delete`,
    subject: auditSubject(kind, key),
    unique: `${document.createdAt}.${document.generation}.${context.caller.id}`,
    time: now,
    context,
    before: document.spec,
  })
}
