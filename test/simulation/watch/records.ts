import type { AuditRecord } from '../../../src/model/audit.ts'
import type { AnyDocument } from '../../../src/model/documents.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { noticeOf } from '../../../src/model/notification.ts'
import type { OutboxEntry } from '../../../src/model/outbox.ts'
import type { DocumentWatch } from './documents.ts'
import type { Broke } from './kinds.ts'

/** What was done is on record, once; and people hear of what they are to hear of. */
export interface RecordWatch {
  /** Every write of a document. */
  documentWritten(before: AnyDocument | undefined, document: AnyDocument): void
  auditKept(record: AuditRecord): void
  readonly audits: readonly AuditRecord[]
  /** Once all is settled; `withChat`: there are channels. */
  checkSettled(withChat: boolean): void
}

/** Written by callers alone: each of their changes raises `generation`. */
const BY_CALLERS: readonly string[] = ['service', 'cluster', 'certificate', 'team', 'freeze']

export function watchRecords(broke: Broke, documents: DocumentWatch): RecordWatch {
  const audits: AuditRecord[] = []
  const promised = new Set<string>()
  const told = new Map<string, EventRecord>()
  return {
    audits,
    documentWritten(before, document) {
      const outbox: readonly OutboxEntry[] = document.outbox
      const known = new Set(before?.outbox.map(({ id }) => id))
      const added = outbox.filter(({ id }) => !known.has(id))
      for (const entry of added) {
        if (entry.kind === 'audit') promised.add(entry.record.id)
        if (entry.kind === 'event' && noticeOf(entry.event) !== undefined) told.set(entry.event.id, entry.event)
      }
      if (!BY_CALLERS.includes(document.kind) || generationOf(document) <= generationOf(before)) return
      const records = added.filter(({ kind }) => kind === 'audit').length
      if (records !== 1) broke(`a change of ${document.kind} has ${records} audit records`)
    },
    auditKept: (record) => void audits.push(record),
    checkSettled(withChat) {
      const ids = new Set(audits.map(({ id }) => id))
      if (ids.size < audits.length) broke('an audit record was kept twice')
      for (const id of promised) if (!ids.has(id)) broke(`audit record ${id} was lost`)
      if (!withChat) return
      const notified = new Set(documents.all().flatMap((one) => (one.kind === 'notification' ? [one.event.id] : [])))
      for (const { id, type } of told.values()) if (!notified.has(id)) broke(`nobody is told of ${type} ${id}`)
    },
  }
}

function generationOf(document: AnyDocument | undefined): number {
  return document !== undefined && 'generation' in document ? document.generation : 0
}
