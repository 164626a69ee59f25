import { certificateEvent } from '../model/certificate-event.ts'
import { selectedClusters } from '../model/cluster-selection.ts'
import type { CertificateDocument, ClusterDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { rotateWork } from './certificate-work.ts'
import type { CertificateDeps } from './deps.ts'
import { retarget } from './retarget.ts'

/**
 * After a cluster came, went or changed its labels: gives each certificate that chooses by label its clusters anew. The
 * failure is a lost race on one of them; the others are done.
 */
export async function selectCertificateClusters(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
): Promise<Result<undefined>> {
  const [clusters, certificates] = await Promise.all([deps.store.all('cluster'), deps.store.all('certificate')])
  let result: Result<undefined> = succeed(undefined)
  for (const { name, spec } of certificates) {
    if (Array.isArray(spec.clusters)) continue
    const changed = await changeDocument(deps.store, 'certificate', name, (stored) =>
      reselect(stored?.value, clusters, timestamp(deps.clock.now())),
    )
    if (!changed.ok) result = changed
  }
  return result
}

function reselect(
  before: CertificateDocument | undefined,
  clusters: readonly ClusterDocument[],
  now: string,
): Result<Change<CertificateDocument, undefined>> {
  if (!before || before.deletingAt || Array.isArray(before.spec.clusters)) {
    return succeed({ kind: 'leave', value: undefined })
  }
  const { name, spec } = before
  const chosen = selectedClusters(spec.clusters, clusters)
  if (chosen.join() === before.clusters.join()) return succeed({ kind: 'leave', value: undefined })
  const { places, work } = retarget(name, before, chosen)
  const event = certificateEvent(name, 'certificate.clusters', {
    id: String(places.revision),
    time: now,
    actor: MESHWRIGHT,
    reason: 'LabelsMatched',
    message: `Certificate ${name} is now for: ${chosen.join(', ') || 'no cluster'}.`,
  })
  const outbox = [...before.outbox, event, ...work, rotateWork(name, `select.${places.revision}.${now}`)]
  const document = { ...before, ...places, outbox, dueAt: now, updatedAt: now }
  return succeed({ kind: 'write', document, value: undefined })
}
