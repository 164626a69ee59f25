import type { LinkerdIntent } from '../../model/linkerd-intent.ts'
import { anchorOf, certificatesIn } from './chains.ts'
import type { LiveIdentity } from './identity-scene.ts'

export type Part = 'anchors' | 'issuer'

/** Why nothing may be written, for machines and for people. */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

/**
 * In which order anchors and issuer are written, so that at no moment an issuer signs that stands on none of the anchors: new
 * anchors go before an issuer below them, and an issuer goes before its anchor does. Pure. `now` is epoch milliseconds.
 */
export function orderOf(
  live: Pick<LiveIdentity, 'anchors' | 'issuer'>,
  { anchors, issuer }: LinkerdIntent,
  now: number,
): readonly Part[] | Refusal {
  const present = signingChain(live, now)
  const next = issuer?.certChain ?? present
  if (next !== undefined && !anchorOf(next, anchors)) {
    const whose = issuer ? 'that is to sign' : 'that signs now'
    const message = `The issuer ${whose} stands on none of the anchors that are to be trusted: its certificates would be refused.`
    return { reason: 'IssuerNotTrusted', message }
  }
  if (anchors === live.anchors || present === undefined || anchorOf(present, anchors)) return ['anchors', 'issuer']
  if (next !== undefined && anchorOf(next, live.anchors)) return ['issuer', 'anchors']
  return { reason: 'NoSafeOrder', message: NO_SAFE_ORDER }
}

const NO_SAFE_ORDER =
  'Neither does the issuer on the cluster stand on the anchors that are to be there, nor the one that is to be there on those ' +
  'of the cluster: whichever went first, connections would fail. Put back in the ConfigMap linkerd-identity-trust-roots ' +
  'both, the anchors of the cluster and those that are wanted, and restart the Pods of the mesh.'

/** The chain of the issuer that signs now; undefined: there is none, or it has ended, and nothing hangs on it. */
export function signingChain({ issuer }: Pick<LiveIdentity, 'issuer'>, now: number): string | undefined {
  const [certificate] = certificatesIn(issuer.chain)
  return certificate && Date.parse(certificate.validTo) > now ? issuer.chain : undefined
}
