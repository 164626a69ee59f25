import type { WorkQueue } from '../ports/work-queue.ts'
import { withVaultName } from './check-references.ts'
import { type CertificateDeps, vaultOf } from './deps.ts'

/** A certificate that an event of Key Vault is about. */
export interface VaultEvent {
  /** The vault's own name, without its domain. */
  readonly vault: string
  readonly name: string
}

/**
 * Has workers look at the certificates that events are about; the value is how many. A hint that saves time: the scan finds
 * the same. What the event says is not taken at its word, only that there is something to see.
 */
export async function receiveVaultEvents(
  deps: Pick<CertificateDeps, 'store' | 'vaultUrl'> & { readonly queue: WorkQueue },
  events: readonly VaultEvent[],
): Promise<number> {
  const unique = new Map(events.map((event) => [`${event.vault}/${event.name}`.toLowerCase(), event]))
  let count = 0
  for (const { vault, name } of unique.values()) {
    // Names in a vault are the same in any case; ours are kept as they were written.
    const candidates = await Promise.all(
      [...new Set([name, name.toLowerCase()])].map((one) => withVaultName(deps.store, one)),
    )
    const meant = new Map(candidates.flat().map((document) => [document.name, document]))
    for (const { name: certificate, spec } of meant.values()) {
      if (vaultName(vaultOf(deps, spec)) !== vault.toLowerCase()) continue
      await deps.queue.send('lifecycle', { kind: 'rotate', certificate })
      count += 1
    }
  }
  return count
}

function vaultName(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.split('.')[0]?.toLowerCase()
}
