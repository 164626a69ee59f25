import { readRoots } from '../../../src/mesh/trust/read-roots.ts'
import type { IstiodEmulator } from '../../../src/sandbox/emulators/istiod/istiod.ts'
import { failingPairs } from '../../../src/sandbox/emulators/istiod/leaves.ts'
import type { KubernetesObject } from '../../../src/sandbox/emulators/kubernetes/json.ts'
import type { Broke } from './kinds.ts'

/** Looks at who trusts whom on a cluster. */
export type TrustWatch = (
  cluster: string,
  istiod: Pick<IstiodEmulator, 'leaves'>,
  configMaps: readonly KubernetesObject[],
  now: number,
) => void

/** No trust bundle ever lacks the root of a leaf in use, neither a namespace's nor a proxy's, and no leaf in use is over. */
export function watchTrust(broke: Broke): TrustWatch {
  const rootsOf = new Map<string, readonly string[]>()
  const read = (pem: string) => {
    const known = rootsOf.get(pem) ?? readRoots(pem).map(({ fingerprint }) => fingerprint)
    rootsOf.set(pem, known)
    return known
  }
  return (cluster, istiod, configMaps, now) => {
    const leaves = [...istiod.leaves().values()]
    for (const [client, server] of failingPairs(leaves, now)) {
      broke(`${client.pod} on ${cluster} cannot connect to ${server.pod}: roots ${client.trusts} and ${server.root}`)
    }
    for (const { metadata, data } of configMaps) {
      if (metadata.name !== 'istio-ca-root-cert') continue
      const roots = read(String((data as Readonly<Record<string, string>> | undefined)?.['root-cert.pem'] ?? ''))
      const lacking = leaves.find(({ root }) => !roots.includes(root))
      if (lacking) broke(`the trust bundle of ${metadata.namespace} on ${cluster} lacks the root of ${lacking.pod}`)
    }
  }
}
