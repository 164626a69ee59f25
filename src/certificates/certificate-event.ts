import type { CertificateTarget } from '../model/certificate.ts'
import type { EventRecord } from '../model/event.ts'
import type { OutboxEntry } from '../model/outbox.ts'

/** An event about a certificate as an outbox entry; `id` makes it unique among those of its type. */
export function certificateEvent(
  name: string,
  type: string,
  event: Omit<EventRecord, 'type' | 'subject'>,
): OutboxEntry {
  const id = `${type}:${name}:${event.id}`
  return { id, kind: 'event', event: { ...event, id, type, subject: `certificates/${name}` } }
}

/** Work that brings clusters to what the document wants there, at the revisions that it wants. */
export function deliverWork(
  name: string,
  clusters: readonly string[],
  targets: Readonly<Record<string, CertificateTarget>>,
  revision: number,
): readonly OutboxEntry[] {
  return clusters.map((cluster) => ({
    id: `deliver.${cluster}.${targets[cluster]?.revision ?? `off.${revision}`}`,
    kind: 'work',
    queue: 'work',
    message: { kind: 'deliver', certificate: name, cluster },
  }))
}

/** Work that looks at a certificate; `unique` tells it apart from other looks. */
export function rotateWork(name: string, unique: string, notBefore?: string): OutboxEntry {
  return {
    id: `rotate.${unique}`,
    kind: 'work',
    queue: 'lifecycle',
    message: { kind: 'rotate', certificate: name },
    ...(notBefore === undefined ? {} : { notBefore }),
  }
}
