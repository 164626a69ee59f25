import type { CertificateDocument } from '../model/documents.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import { deliverWork } from './certificate-work.ts'

type Places = Pick<CertificateDocument, 'clusters' | 'targets' | 'leaving' | 'revision'>

export interface Retargeted {
  readonly places: Places
  /** Brings every place to what is wanted there now. */
  readonly work: readonly OutboxEntry[]
}

/**
 * Where a certificate is and what it has to leave, and the work for it. A cluster that stays keeps its version under a new
 * revision, as what is written there may have changed; a new one has none until a pass gives it one.
 */
export function retarget(name: string, before: Places, chosen: readonly string[]): Retargeted {
  let { revision } = before
  const targets: Record<string, CertificateDocument['targets'][string]> = {}
  for (const cluster of chosen) {
    const target = before.targets[cluster]
    if (!target) continue
    revision += 1
    targets[cluster] = { ...target, revision }
  }
  const left = [...Object.keys(before.targets), ...before.leaving].filter((cluster) => !chosen.includes(cluster))
  const leaving = [...new Set(left)].sort()
  if (leaving.length > 0) revision += 1
  const work = deliverWork(name, [...Object.keys(targets), ...leaving], targets, revision)
  return { places: { clusters: chosen, targets, leaving, revision }, work }
}
