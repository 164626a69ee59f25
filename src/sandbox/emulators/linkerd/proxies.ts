import { failingPairsOf } from '../failing-pairs.ts'
import { verifies } from './issuer.ts'
import type { Identity, LinkerdState, PodProxy } from './state.ts'
import { hashOf } from './state.ts'

/** Of a certificate of no proxy's making; as `-identity-issuance-lifetime` and `-identity-clock-skew-allowance` say. */
export interface Lifetime {
  readonly ttlMs: number
  readonly skewMs: number
}

const LEAST_REFRESH_MS = 10_000
const MOST_REFRESH_MS = 86_400_000

/** When a proxy asks again: at 70 % of what is left, within bounds (`linkerd/proxy/identity-client/src/certify.rs`). */
function nextAsk(now: number, notAfter: number | undefined): number {
  const wait = notAfter === undefined || notAfter <= now ? LEAST_REFRESH_MS : ((notAfter - now) * 7) / 10
  return now + Math.min(Math.max(wait, LEAST_REFRESH_MS), MOST_REFRESH_MS)
}

/**
 * A proxy after it has asked for a leaf, if it is time. It gets one when its anchors verify the controller's own, and takes it
 * when they verify the new one, too: else it keeps what it has (`linkerd/meshtls/rustls/src/creds/store.rs`).
 */
export function certify(
  state: LinkerdState,
  uid: string,
  proxy: PodProxy,
  { now, lifetime }: { readonly now: number; readonly lifetime: Lifetime },
): PodProxy {
  if (now < proxy.asksAt) return proxy
  const again = { ...proxy, asksAt: nextAsk(now, proxy.leaf?.notAfter) }
  const ready = Object.entries(state.identities).filter(([, { issuer }]) => issuer !== undefined)
  const [controllerUid, controller] = ready[Number.parseInt(hashOf(uid).slice(0, 4), 16) % ready.length] ?? []
  const issuer = controller?.issuer
  if (!controller || !issuer) return again
  const own = controllerUid === uid ? undefined : state.proxies[controllerUid ?? '']
  if (own?.leaf && !trusts(state, proxy, own, now)) return again
  // The controller looks at its issuer before each signature, and a proxy at what it gets.
  if (!verifies(textOf(state, controller.anchors), issuer.chain, now)) return again
  if (!verifies(textOf(state, proxy.anchors), issuer.chain, now)) return again
  const notAfter = Math.min(now + lifetime.ttlMs + lifetime.skewMs, issuer.firstNotAfter)
  if (notAfter <= now) return again
  const leaf = { signer: issuer.fingerprint, chain: hashOf(issuer.chain), notBefore: now - lifetime.skewMs, notAfter }
  return { ...proxy, leaf, asksAt: nextAsk(now, notAfter) }
}

/**
 * Pairs of Pods of different kinds, of which the first cannot connect to the second. A Pod that has no leaf yet calls nobody but
 * the controllers, and nobody calls it: it is not ready.
 */
export function failingPairs(
  state: LinkerdState,
  now: number,
): readonly (readonly [client: PodProxy, server: PodProxy])[] {
  const all = Object.entries(state.proxies).map(([uid, proxy]) => ({ proxy, isController: uid in state.identities }))
  const pairs = failingPairsOf(
    all,
    ({ proxy: { anchors, leaf }, isController }) =>
      JSON.stringify([anchors, leaf?.chain, leaf && now >= leaf.notAfter, isController]),
    (client, server) => {
      if (!server.proxy.leaf) return true
      const isTrusted = trusts(state, client.proxy, server.proxy, now)
      if (!client.proxy.leaf) return isTrusted || !server.isController
      return isTrusted && trusts(state, server.proxy, client.proxy, now)
    },
  )
  return pairs.map(([client, server]) => [client.proxy, server.proxy] as const)
}

function trusts(state: LinkerdState, { anchors }: PodProxy, { leaf }: PodProxy, now: number): boolean {
  return leaf !== undefined && now < leaf.notAfter && verifies(textOf(state, anchors), textOf(state, leaf.chain), now)
}

export function textOf({ texts }: Pick<LinkerdState, 'texts'>, hash: string): string {
  return texts[hash] ?? ''
}

/** What every certificate of a controller is to be remembered with. */
export function withChains(state: LinkerdState, identities: Readonly<Record<string, Identity>>): LinkerdState['texts'] {
  const chains = Object.values(identities).flatMap(({ issuer }) => issuer?.chain ?? [])
  return { ...state.texts, ...Object.fromEntries(chains.map((chain) => [hashOf(chain), chain])) }
}
