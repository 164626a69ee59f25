import type { Container } from '@azure/cosmos'
import type { ArrivedAudit, AuditRecord } from '../../model/audit.ts'
import type { AuditQuery, Page } from '../../ports/store.ts'
import { appendToLog, type LogItem, placeInLog, readLog } from './arrival-log.ts'
import type { Condition } from './cosmos-query.ts'

interface AuditItem extends LogItem {
  readonly record: AuditRecord
}

/** Keeps an audit record; one that is there already is left as it is. */
export async function appendAudit(audit: Container, record: AuditRecord, signal: AbortSignal): Promise<void> {
  const item: AuditItem = { ...placeInLog(record.id, record.subject), record }
  await appendToLog(audit, item, signal)
}

/** Audit records in the order of arrival. */
export function readAudit(
  audit: Container,
  { actor, action, ...query }: AuditQuery,
  nowMs: number,
  signal: AbortSignal,
): Promise<Page<ArrivedAudit>> {
  const where: Condition[] = []
  if (actor !== undefined) {
    const text = '(c.record.actor.id = @actor OR c.record.actor.name = @actor)'
    where.push({ text, values: { '@actor': actor } })
  }
  if (action !== undefined) where.push({ text: 'c.record.action = @action', values: { '@action': action } })
  return readLog(audit, { ...query, where }, nowMs, signal, ({ record }: AuditItem) => record)
}
