import { vaultName } from '../model/found.ts'
import { placeOfCa } from '../ports/ca-place.ts'
import type { WorkQueue } from '../ports/work-queue.ts'
import type { MeshCaDeps } from './deps.ts'

/** A secret that an event of Key Vault is about. */
export interface SecretEvent {
  /** The vault's own name, without its domain. */
  readonly vault: string
  readonly name: string
}

/**
 * Has workers look at the mesh CAs of whose four secrets events are about; the value is how many. Each at once, however many
 * events there are. What an event says is not taken at its word, only that there is something to see.
 */
export async function receiveSecretEvents(
  { store, queue, vaultUrl }: Pick<MeshCaDeps, 'store' | 'vaultUrl'> & { readonly queue: WorkQueue },
  events: readonly SecretEvent[],
): Promise<number> {
  if (events.length === 0) return 0
  const meant = new Set(events.map(keyOfSecret))
  const cas = await store.all('mesh-ca')
  if (cas.length === 0) return 0
  const clusters = new Map((await store.all('cluster')).map((cluster) => [cluster.name, cluster]))
  let count = 0
  for (const ca of cas) {
    const place = placeOfCa(ca, clusters.get(ca.spec.cluster), vaultUrl)
    const vault = place && vaultName(place.vault)
    const secrets = Object.values(place?.secrets ?? {})
    if (vault === undefined || !secrets.some((secret) => meant.has(keyOfSecret({ vault, name: secret })))) continue
    await queue.send('lifecycle', { kind: 'rotate-ca', ca: ca.name })
    count += 1
  }
  return count
}

/** Names in a vault are the same in any case. */
function keyOfSecret({ vault, name }: SecretEvent): string {
  return `${vault}/${name}`.toLowerCase()
}
