import type { AuditRecord, Origin } from './audit.ts'
import { canonicalJson } from './digest.ts'
import { type DocumentKind, nameSpaceOf } from './documents.ts'
import { actorOf } from './identity.ts'
import type { OutboxEntry } from './outbox.ts'
import type { RequestContext } from './request.ts'
import { hideWebhookAddresses } from './webhook-address.ts'

/** Most characters of before and after together, as JSON. */
const MOST_CHARACTERS = 100_000

/** A change that a caller asked for and that was accepted. */
export interface AuditedChange {
  /** `service.put`, `rollout.abort`, `certificate.rotate`. */
  readonly action: string
  /** `services/shop/web`, as `auditSubject` makes it. */
  readonly subject: string
  /** Tells happenings of this action on this subject apart; the same happening has the same text. */
  readonly unique: string
  /** RFC 3339. */
  readonly time: string
  readonly context: RequestContext
  /** The part that users own; undefined where there was or is none. No secrets: addresses of webhooks are cut here. */
  readonly before?: unknown
  readonly after?: unknown
  /** The pipeline run that the change belongs to, where the body or the rollout names one. */
  readonly runUrl?: string | undefined
  /** Does the request itself name the run? Then it comes from there, whoever signed in. */
  readonly fromRun?: boolean
}

/**
 * The audit record of a change as an outbox entry: it goes into the same conditional write as the change, so that none is
 * lost and none is written for what was refused. Before and after are cut to 100 KB.
 */
export function auditEntry(change: AuditedChange): OutboxEntry {
  const record = auditRecord(change)
  return { id: `audit:${record.id}`, kind: 'audit', record }
}

/** What users know a document as: `services/shop/web`, `policies/strict`. */
export function auditSubject(kind: DocumentKind, key: string): string {
  const word = nameSpaceOf(kind)
  return `${word.endsWith('y') ? `${word.slice(0, -1)}ie` : word}s/${key}`
}

function auditRecord(change: AuditedChange): AuditRecord {
  const { action, subject, unique, time, context } = change
  return {
    id: `${action}:${subject}:${unique}`,
    time,
    actor: actorOf(context.caller),
    action,
    subject,
    origin: originOf(change),
    ...(context.requestId === undefined ? {} : { requestId: context.requestId }),
    ...bounded(hideWebhookAddresses(change.before), hideWebhookAddresses(change.after)),
  }
}

function originOf({ context, runUrl, fromRun = false }: AuditedChange): Origin {
  const { origin, caller } = context
  if (origin !== undefined && origin.kind !== 'rest') return origin
  if (caller.kind === 'person' && !(fromRun && runUrl !== undefined)) return { kind: 'rest' }
  return { kind: 'pipeline', ...(runUrl === undefined ? {} : { ref: runUrl }) }
}

/** What was and is, whole; when that is too big only the fields that differ; and if those are, neither. */
function bounded(before: unknown, after: unknown): Pick<AuditRecord, 'before' | 'after' | 'note'> {
  if (fits(before, after)) return present(before, after)
  const [was, is] = [differing(before, after), differing(after, before)]
  if (fits(was, is)) return { ...present(was, is), note: 'Only fields that differ: the whole is larger than 100 KB.' }
  return { note: 'Before and after are left out: they are larger than 100 KB.' }
}

function fits(before: unknown, after: unknown): boolean {
  return canonicalJson([before, after]).length <= MOST_CHARACTERS
}

function present(before: unknown, after: unknown): Pick<AuditRecord, 'before' | 'after'> {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

/** The top-level fields of `value` that `other` does not have alike. */
function differing(value: unknown, other: unknown): unknown {
  if (!isRecord(value) || !isRecord(other)) return value
  return Object.fromEntries(
    Object.entries(value).filter(([name, field]) => canonicalJson(field) !== canonicalJson(other[name])),
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
