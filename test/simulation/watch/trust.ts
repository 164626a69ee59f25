import { readRoots } from '../../../src/mesh/trust/read-roots.ts'
import { failingPairs } from '../../../src/sandbox/emulators/istiod/leaves.ts'
import type { KubernetesObject } from '../../../src/sandbox/emulators/kubernetes/json.ts'
import type { MeshSide } from '../mesh-side.ts'
import type { Broke } from './kinds.ts'

/** Looks at who trusts whom on a cluster. */
export interface TrustWatch {
  looked(
    cluster: string,
    mesh: Pick<MeshSide, 'istiod' | 'isSpoiled' | 'ttl'>,
    configMaps: readonly KubernetesObject[],
    now: number,
  ): void
}

/** A write of four secrets that was cut off is made whole when its lease is over; by then istiod starts again. */
const LONGEST_DOWN_MS = 600_000

/**
 * No trust bundle ever lacks the root of a leaf in use, neither a namespace's nor a proxy's; no leaf in use is over, but
 * where istiod was restarted and could not renew it; and istiod can be restarted.
 */
export function watchTrust(broke: Broke): TrustWatch {
  const rootsOf = new Map<string, readonly string[]>()
  const read = (pem: string) => {
    const known = rootsOf.get(pem) ?? readRoots(pem).map(({ fingerprint }) => fingerprint)
    rootsOf.set(pem, known)
    return known
  }
  const down = new Map<string, { readonly since: number; until: number }>()
  const isDown = (cluster: string, mesh: Parameters<TrustWatch['looked']>[1], now: number): boolean => {
    const isUp = mesh.istiod.bundle() !== undefined
    const known = down.get(cluster)
    const current = known ?? (isUp || mesh.istiod.leaves().size === 0 ? undefined : { since: now, until: now })
    if (!current) return false
    if (!isUp) current.until = now
    // A new istiod renews what is due at once, and what is over with it.
    if (isUp && now > current.until + mesh.ttl.ms / 2) return !down.delete(cluster)
    down.set(cluster, current)
    if (mesh.isSpoiled) down.set(cluster, { since: now, until: now })
    else if (!isUp && now - current.since > LONGEST_DOWN_MS) broke(`istiod on ${cluster} cannot be started any more`)
    return true
  }
  return {
    looked(cluster, mesh, configMaps, now) {
      const leaves = [...mesh.istiod.leaves().values()]
      const wasDown = isDown(cluster, mesh, now)
      if (mesh.isSpoiled) return
      for (const [client, server] of failingPairs(leaves, wasDown ? 0 : now)) {
        broke(`${client.pod} on ${cluster} cannot connect to ${server.pod}: roots ${client.trusts} and ${server.root}`)
      }
      for (const { metadata, data } of configMaps) {
        if (metadata.name !== 'istio-ca-root-cert') continue
        const roots = read(String((data as Readonly<Record<string, string>> | undefined)?.['root-cert.pem'] ?? ''))
        const lacking = leaves.find(({ root }) => !roots.includes(root))
        if (lacking) broke(`the trust bundle of ${metadata.namespace} on ${cluster} lacks the root of ${lacking.pod}`)
      }
    },
  }
}
