import type { MeshCaDocument } from './documents.ts'

/** What of a CA is to be on a cluster of Linkerd. */
export interface LinkerdIntent {
  /** The fence: the document's revision. */
  readonly revision: number
  /** PEM for `ca-bundle.crt`, byte for byte. */
  readonly anchors: string
  /** Absent: the Secret stays as it is, for the mesh is being taken over: its issuer signs on, and its key is not ours. */
  readonly issuer?: {
    /** PEM for `tls.crt`: the issuer, then its chain. */
    readonly certChain: string
    /** Version of the secret that holds the key. */
    readonly caKeyVersion: string
    readonly fingerprint: string
  }
}

/** What reconcile is to bring to the cluster; undefined: nothing is written there, only looked at. */
export function linkerdIntent(document: MeshCaDocument): LinkerdIntent | undefined {
  const { spec, revision, current, anchors } = document
  if (spec.purpose !== 'linkerd-identity' || revision === undefined) return undefined
  if (!current) return anchors === undefined ? undefined : { revision, anchors }
  const { rootCert, certChain, versions, signer } = current
  const issuer = { certChain, caKeyVersion: versions.caKey, fingerprint: signer.fingerprint }
  return { revision, anchors: rootCert, issuer }
}
