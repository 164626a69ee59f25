import { anchorsData, anchorsRef, issuerData, issuerRef } from '../../mesh/linkerd/identity.ts'
import { CERTIFICATE, MANAGED_BY, MANAGER, REVISION, revisionOf } from '../../mesh/marks.ts'
import type { KubeMetadata, KubeObject, KubeRef } from '../../model/kube.ts'
import { keyFor } from './chains.ts'
import type { IdentityScene, LiveIdentity } from './identity-scene.ts'

/** How an object on the cluster differs from what is wanted: not, in marks alone, or in what Linkerd reads. */
export type Difference = 'none' | 'mark' | 'content' | 'missing'

type Wanted = Pick<IdentityScene, 'ca' | 'intent'>

export function anchorsDifference(wanted: Wanted, { configMap, anchors }: LiveIdentity): Difference {
  if (!configMap) return 'missing'
  if (anchors !== wanted.intent.anchors) return 'content'
  return bearsMarks(wanted, configMap) ? 'none' : 'mark'
}

/** A key that belongs to the issuer is the key, however it is written down. */
export function issuerDifference(wanted: Wanted, { secret, form, issuer }: LiveIdentity): Difference {
  const { intent } = wanted
  if (!intent.issuer) return 'none'
  if (!secret) return 'missing'
  const hasAnchors = form === 'linkerd.io/tls' || issuer.anchors === intent.anchors
  const isSame = issuer.chain === intent.issuer.certChain && hasAnchors
  if (!isSame || keyFor(issuer.key, issuer.chain) === undefined) return 'content'
  return bearsMarks(wanted, secret) ? 'none' : 'mark'
}

export function desiredAnchors({ ca, intent }: Wanted): KubeObject {
  return { ...marked(anchorsRef(ca.spec.namespace), { ca, intent }), data: anchorsData(intent.anchors) }
}

/** The Secret in the form of the one that is there. `key` is PEM, and secret. */
export function desiredIssuer({ ca, intent }: Wanted, { secret, form }: LiveIdentity, key: string): KubeObject {
  const texts = { chain: intent.issuer?.certChain ?? '', key, anchors: intent.anchors }
  const type = typeof secret?.type === 'string' ? secret.type : form
  return { ...marked(issuerRef(ca.spec.namespace), { ca, intent }), type, data: issuerData(form, texts) }
}

function marked({ namespace = '', name, ...kind }: KubeRef, { ca, intent }: Wanted): KubeObject {
  const metadata: KubeMetadata = {
    name,
    namespace,
    labels: { [MANAGED_BY]: MANAGER },
    annotations: { [CERTIFICATE]: ca.name, [REVISION]: String(intent.revision) },
  }
  return { ...kind, metadata }
}

/** An older revision's mark must go: else a slow writer with a document from in between could pass the fence. */
function bearsMarks({ ca, intent }: Wanted, live: KubeObject): boolean {
  const { labels = {}, annotations = {} } = live.metadata
  return labels[MANAGED_BY] === MANAGER && annotations[CERTIFICATE] === ca.name && revisionOf(live) === intent.revision
}
