import { failingPairsOf } from '../failing-pairs.ts'
import type { KubernetesObject } from '../kubernetes/json.ts'
import type { CaBundle } from './ca-bundle.ts'

/** What a Pod's proxy shows to others and trusts in others. Times in epoch milliseconds. */
export interface Leaf {
  /** `namespace/name`. */
  readonly pod: string
  readonly signer: string
  /** The root that it chains to. */
  readonly root: string
  readonly notBefore: number
  readonly notAfter: number
  /** The roots that came with it. */
  readonly trusts: readonly string[]
}

/**
 * The leaves of the Pods that are there: those that have reached half their lifetime, and those of new Pods, are of `bundle`.
 * A proxy learns of roots with its next leaf. By uid of the Pod.
 */
export function renewLeaves(
  before: ReadonlyMap<string, Leaf>,
  pods: readonly KubernetesObject[],
  bundle: CaBundle,
  { now, ttlMs }: { readonly now: number; readonly ttlMs: number },
): ReadonlyMap<string, Leaf> {
  const proxies = pods.filter(({ metadata }) => metadata.annotations?.['sidecar.istio.io/status'] !== undefined)
  return new Map(
    proxies.map(({ metadata: { uid = '', namespace, name } }) => {
      const held = before.get(uid)
      if (held && now < (held.notBefore + held.notAfter) / 2) return [uid, held]
      const { signer, root, roots } = bundle
      const notAfter = Math.min(now + ttlMs, signer.notAfter)
      const leaf = { pod: `${namespace}/${name}`, signer: signer.fingerprint, root, notBefore: now, notAfter }
      return [uid, { ...leaf, trusts: roots }]
    }),
  )
}

/** Pairs of proxies of different kinds, of which the first cannot connect to the second: one trusts not what the other shows, or a leaf is over. */
export function failingPairs(leaves: Iterable<Leaf>, now: number): readonly (readonly [client: Leaf, server: Leaf])[] {
  return failingPairsOf(
    leaves,
    (leaf) => JSON.stringify([leaf.root, leaf.trusts, now >= leaf.notAfter]),
    (client, server) => mayConnect(client, server, now),
  )
}

function mayConnect(client: Leaf, server: Leaf, now: number): boolean {
  const isOver = ({ notAfter }: Leaf) => now >= notAfter
  return (
    client.trusts.includes(server.root) && server.trusts.includes(client.root) && !isOver(client) && !isOver(server)
  )
}
