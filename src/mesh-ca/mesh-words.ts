import type { CaPhase } from '../model/ca-rotation.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'

/** How people who run a mesh call its parts. */
export interface MeshWords {
  /** What signs workloads. */
  readonly signer: string
  /** What a phase that was entered waits for. */
  readonly entered: Readonly<Partial<Record<CaPhase, string>>>
  /** The first CA is in the vault. */
  readonly first: string
  /** The secrets are no longer in the vault. */
  readonly gone: string
  /** The vault holds what cannot be used: the beginning of a sentence that ends with why. */
  readonly unusable: string
  /** Another hand wrote the secrets while a rotation was live. */
  readonly changed: string
  /** The former root was given up. */
  readonly narrowed: string
}

const ISTIO: MeshWords = {
  signer: 'istiod',
  entered: {
    trusting: 'Both roots are in every trust bundle. Waits until every proxy trusts both.',
    switching: 'Every proxy trusts both roots. The new one takes over the signing.',
    renewing: 'Waits until every proxy holds a certificate of what signs now.',
    narrowing: 'No certificate of the other root is in use. It leaves the trust bundles.',
  },
  first:
    'The vault holds the first CA. A mesh that is enabled with it as plug-in CA signs with it; one that signs with a CA of its own does not change over by this.',
  gone: 'The four secrets are no longer in the vault: recover them there. istiod keeps what it has until it is restarted.',
  unusable: 'istiod would not take what the vault holds, and would not start with it:',
  changed: 'what the vault holds now is what the mesh gets.',
  narrowed: 'The old root is no longer trusted: istiod takes no way back from there.',
}

const LINKERD: MeshWords = {
  signer: 'Linkerd’s identity controller',
  entered: {
    trusting: 'The control plane trusts both anchors. Waits until every meshed Pod has started with both.',
    switching: 'Every meshed Pod trusts both anchors. An issuer of the new one takes over the signing.',
    renewing: 'Waits until every proxy holds a certificate of the issuer that signs now.',
    narrowing:
      'No certificate of the other anchor is in use. It leaves the cluster, and every Pod is restarted once more.',
  },
  first:
    'The vault holds the first CA, and it is brought to the cluster. Install Linkerd with identity.externalCA=true and identity.issuer.scheme=kubernetes.io/tls: it starts with it.',
  gone: 'The four secrets are no longer in the vault: recover them there. The cluster keeps what it has.',
  unusable: 'Linkerd would not take what the vault holds, so it is not brought to the cluster:',
  changed: 'nothing of it is brought to the cluster unless it stands on the same trust anchors.',
  narrowed: 'The old trust anchor is no longer trusted: there is no way back from there.',
}

/** The words for a mesh. */
export function wordsOf({ purpose }: Pick<MeshCaSpec, 'purpose'>): MeshWords {
  return purpose === 'mesh-ca' ? ISTIO : LINKERD
}
