import { rootsOf } from '../authority/trust.ts'
import { type CaRotation, isCaRotationOver, isTakeover } from '../model/ca-rotation.ts'
import type { MeshCaDocument, TrustDocument } from '../model/documents.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import { lookWithin } from '../model/waiting.ts'
import { trustWork } from './ca-work.ts'
import { certificatesOf } from './certificate-texts.ts'
import type { Observations } from './observations.ts'
import { isSameTrust } from './same-trust.ts'
import { type CaStep, raised } from './step.ts'

/**
 * A Linkerd that others made has anchors and an issuer whose key is not ours. It is taken over by a rotation of the root whose
 * `from` is what the cluster holds: its anchors are widened by ours on the cluster alone, while its own issuer signs on and the
 * vault is left empty; from `switching` on it is a rotation like any other.
 */

/** The look that is asked for may be lost. */
const BACKSTOP_MS = 60_000
/** Where the versions of a set would be that is in no vault. */
const NO_VERSIONS = { rootCert: '', caCert: '', certChain: '', caKey: '' } as const

/** What the cluster of a Linkerd holds, as far as a CA can start there. */
export type FoundCa =
  /** `from`: absent where the cluster has neither anchors nor issuer nor Pods: the first CA may be made. */
  | { readonly kind: 'usable'; readonly from?: CaSet }
  | { readonly kind: 'unusable'; readonly reason: string; readonly message: string }

/** What a first CA starts from. What has not been seen, or cannot be read, is not built on. */
export function foundCa(document: MeshCaDocument, trust: TrustDocument | undefined): FoundCa {
  if (trust?.state !== 'seen' || trust.cluster !== document.spec.cluster) {
    const message = trust?.message ? ` ${trust.message}` : ''
    const words = `What Linkerd trusts on cluster ${document.spec.cluster} has not been seen yet: nothing is made before.${message}`
    return unusable(trust?.state === 'failed' ? trust.reason : 'WaitsForLook', words)
  }
  const { found, pods, controlPlane } = trust
  if (!found) {
    if (pods.count === 0 && (controlPlane?.count ?? 0) === 0) return { kind: 'usable' }
    const message =
      'Linkerd runs, and its trust anchors are not where they belong (ConfigMap linkerd-identity-trust-roots).'
    return unusable('FoundUnusable', message)
  }
  const roots = rootsOf(found.anchors)
  if (!roots.ok)
    return unusable('FoundUnusable', `The trust anchors on the cluster cannot be taken over. ${roots.message}`)
  const [caCert] = certificatesOf(found.issuer ?? '')
  const signers = rootsOf(caCert ?? '')
  const [signer] = signers.ok ? signers.value : []
  if (found.issuer === undefined || caCert === undefined || !signer)
    return unusable(
      'FoundUnusable',
      'The cluster has trust anchors, and no issuer that can be read (Secret linkerd-identity-issuer).',
    )
  const set = { rootCert: found.anchors, caCert, certChain: found.issuer, roots: roots.value, signer }
  return { kind: 'usable', from: { ...set, versions: NO_VERSIONS } }
}

function unusable(reason: string, message: string): FoundCa {
  return { kind: 'unusable', reason, message }
}

/**
 * Why what the vault holds is not brought to the cluster of a Linkerd; undefined: it may be. Nothing stands between the vault
 * and its proxies but this, and they do not read anchors while they run: so only another issuer under the same anchor is taken
 * from another hand. What changes anchors goes by the steps of a rotation.
 */
export function whyNotBrought(
  document: MeshCaDocument,
  set: CaSet,
  trust: TrustDocument | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  if (document.spec.purpose !== 'linkerd-identity') return undefined
  if (document.current) {
    if (isSameTrust(document.current, set)) return undefined
    const message =
      'Another hand wrote other trust anchors into the vault, or an issuer under another one. Nothing of it is brought to the cluster. Put the former versions of the secrets back; then POST …/rotate with "what": "root" changes the anchors.'
    return { reason: 'AnchorsDiffer', message }
  }
  const found = foundCa(document, trust)
  if (found.kind === 'unusable') return found
  if (!found.from || isSameTrust(found.from, set)) return undefined
  const message =
    'The vault holds another CA than the cluster: it is not brought there, for no proxy trusts it. Put into the vault what the cluster holds, or give names of secrets that are empty: then the cluster is taken over step by step.'
  return { reason: 'AnchorsDiffer', message }
}

/** Does the phase bring anchors to the cluster, and write nothing into the vault? */
export function bringsAnchorsAlone(rotation: CaRotation): boolean {
  const { phase, direction } = rotation
  return isTakeover(rotation) && (phase === 'widening' || (phase === 'narrowing' && direction === 'back'))
}

/** Tells reconcile which anchors the cluster is to have. */
export function bringAnchors(step: CaStep, rotation: CaRotation, anchors: string, { now }: Observations): CaStep {
  const at = timestamp(now)
  const { id, direction, phase, begunAt = at } = rotation
  const message = 'The trust anchors are on their way to the cluster. Waits until it is seen to have taken them.'
  const next: CaRotation = { ...rotation, begunAt, writtenAt: at, reason: 'Written', message }
  const document = raised({ ...step.document, anchors, rotation: next })
  const work = trustWork(document.name, `${id}.${direction}.${phase}`)
  return lookWithin({ ...step, document, entries: [...step.entries, work] }, BACKSTOP_MS, now)
}

/** What signs and is trusted, whoever made it: what is current, else what a live rotation takes over. */
export function heldSet({ current, rotation }: MeshCaDocument): CaSet | undefined {
  if (current || !rotation || isCaRotationOver(rotation)) return current
  return isTakeover(rotation) ? rotation.from : undefined
}

/** Lets go of anchors that were brought alone: the cluster keeps what it has. */
export function letGo(step: CaStep): CaStep {
  const { anchors: _anchors, ...document } = step.document
  return { ...step, document }
}
