import type { CertificateTarget } from '../model/certificate.ts'
import type { OutboxEntry } from '../model/outbox.ts'

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
