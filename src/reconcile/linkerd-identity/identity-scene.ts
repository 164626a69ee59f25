import { anchorsIn, anchorsRef, formOf, type IssuerForm, issuerIn, issuerRef } from '../../mesh/linkerd/identity.ts'
import type { ClusterDocument, FreezeDocument, MeshCaDocument, TrustDocument } from '../../model/documents.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { LinkerdIntent } from '../../model/linkerd-intent.ts'
import type { LinkerdIdentitySpec } from '../../model/mesh-ca.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { TrustDeps } from '../trust/trust-deps.ts'

/** A CA of Linkerd. */
export type LinkerdCa = MeshCaDocument & { readonly spec: LinkerdIdentitySpec }

export function isLinkerdCa(ca: MeshCaDocument): ca is LinkerdCa {
  return ca.spec.purpose === 'linkerd-identity'
}

/** All that decides what to do on a cluster of Linkerd, and the way to it. */
export interface IdentityScene {
  readonly deps: TrustDeps
  readonly ca: LinkerdCa
  readonly intent: LinkerdIntent
  readonly cluster: ClusterDocument
  readonly before: TrustDocument | undefined
  readonly freezes: readonly FreezeDocument[]
  readonly api: ClusterApi
  /** Of Linkerd's control plane. */
  readonly namespace: KubeObject
  /** Epoch milliseconds. */
  readonly now: number
}

/** What lies on the cluster: the two objects, and their texts. Holds a key: for memory only. */
export interface LiveIdentity {
  readonly configMap: KubeObject | undefined
  readonly secret: KubeObject | undefined
  /** PEM; empty: none. */
  readonly anchors: string
  readonly form: IssuerForm
  readonly issuer: ReturnType<typeof issuerIn>
}

/** Reads the ConfigMap and the Secret. Throws PortError. */
export async function readIdentity(api: ClusterApi, namespace: string): Promise<LiveIdentity> {
  const [configMap, secret] = await Promise.all([api.get(anchorsRef(namespace)), api.get(issuerRef(namespace))])
  return liveIdentity(configMap, secret)
}

export function liveIdentity(configMap: KubeObject | undefined, secret: KubeObject | undefined): LiveIdentity {
  return { configMap, secret, anchors: anchorsIn(configMap), form: formOf(secret), issuer: issuerIn(secret) }
}
