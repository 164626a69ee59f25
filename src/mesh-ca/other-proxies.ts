import type { TrustDocument } from '../model/documents.ts'
import type { OtherProxies } from '../model/trust.ts'

type Seen = Pick<TrustDocument, 'state' | 'pods'> | undefined

/** Who else than Pods with a proxy holds certificates of the mesh, as the last look saw it; undefined: it did not look for them. */
export function othersOf(trust: Seen): OtherProxies | undefined {
  return trust?.state === 'seen' ? trust.pods.others : undefined
}

const NOTES: Readonly<Record<OtherProxies, string>> = {
  none: ', or once all Pods with one were restarted',
  ambient:
    '. Restarts do not shorten that: of the certificates that ztunnel holds in ambient mode no start of a Pod tells how old they are',
  vms: '. Restarts do not shorten that: machines outside the cluster are of the mesh (there are WorkloadEntries), and no start of a Pod tells how old their certificates are',
  unknown:
    '. Restarts do not shorten that: Meshwright may not list WorkloadEntries, so machines outside the cluster may be of the mesh (infra/kubernetes/trust-role.yaml)',
}

/** How else than by time every proxy is known to be renewed: the end of a sentence without its full stop. */
export function shortcutNote(trust: Seen): string {
  return NOTES[othersOf(trust) ?? 'none']
}
