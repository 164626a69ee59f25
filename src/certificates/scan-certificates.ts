import type { CertificateDocument, MeshCaDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { isRotationOver } from '../model/rotation.ts'
import { isPortError } from '../ports/port-error.ts'
import type { VaultListing } from '../ports/vault.ts'
import type { WorkQueue } from '../ports/work-queue.ts'
import { type CertificateDeps, vaultOf } from './deps.ts'
import { vaultNameOf } from './issue-policy.ts'

export interface ScanOutcome {
  readonly certificates: number
  readonly vaults: number
  /** Requests to vaults: pages of their lists. */
  readonly pages: number
  /** Certificates that a worker is to look at. */
  readonly queued: number
  /** What each vault that answered lists, by address. */
  readonly listed: ReadonlyMap<string, readonly VaultListing[]>
  /** Addresses of vaults that did not answer; their certificates are for the next scan. */
  readonly failed: readonly string[]
  /** The certificate in use that ends first; RFC 3339. */
  readonly soonest?: { readonly certificate: string; readonly notAfter: string }
}

/**
 * Compares what each vault lists with what the documents know, and has workers look at the certificates that differ or are
 * due. This is the truth about versions of other hands, events of Event Grid only a hint. Costs pages, not certificates.
 */
export async function scanCertificates(deps: CertificateDeps & { readonly queue: WorkQueue }): Promise<ScanOutcome> {
  const now = timestamp(deps.clock.now())
  const documents = await deps.store.all('certificate')
  const byVault = Map.groupBy(documents, (document) => vaultOf(deps, document.spec) ?? '')
  const wanted = new Set(documents.filter(({ dueAt }) => dueAt !== undefined && dueAt <= now).map(({ name }) => name))
  const failed: string[] = []
  const listings = new Map<string, readonly VaultListing[]>()
  let pages = 0
  for (const [url, certificates] of byVault) {
    try {
      const listed = new Map<string, VaultListing>()
      for await (const page of deps.vaults.open(url).list()) {
        pages += 1
        for (const listing of page) listed.set(listing.name.toLowerCase(), listing)
      }
      listings.set(url, [...listed.values()])
      for (const document of certificates) {
        if (differs(document, listed.get(vaultNameOf(document).toLowerCase()))) wanted.add(document.name)
      }
    } catch (error) {
      if (!isPortError(error)) throw error
      failed.push(url)
    }
  }
  for (const certificate of wanted) await deps.queue.send('lifecycle', { kind: 'rotate', certificate })
  // Their secrets are in no list of certificates: each is looked at.
  const cas = await deps.store.all('mesh-ca')
  for (const { name: ca } of cas) await deps.queue.send('lifecycle', { kind: 'rotate-ca', ca })
  const soonest = endsFirst(documents, cas)
  return {
    certificates: documents.length,
    vaults: byVault.size,
    pages,
    queued: wanted.size + cas.length,
    listed: listings,
    failed,
    ...(soonest ? { soonest } : {}),
  }
}

function endsFirst(documents: readonly CertificateDocument[], cas: readonly MeshCaDocument[]): ScanOutcome['soonest'] {
  const ends = [
    ...documents.flatMap(({ name, current }) => (current ? [{ certificate: name, notAfter: current.notAfter }] : [])),
    ...cas.flatMap(({ name, current }) =>
      (current ? [current.signer, ...current.roots] : []).map(({ notAfter }) => ({ certificate: name, notAfter })),
    ),
  ]
  return ends.reduce<ScanOutcome['soonest']>(
    (first, one) => (first && first.notAfter <= one.notAfter ? first : one),
    undefined,
  )
}

/**
 * May the newest version be one that nobody looked at? Lists tell its end, to the second. A live rotation looks by itself. A
 * version that is made to end in the very second of a known one is found by its event, or when the certificate is due.
 */
function differs({ current, rotation, history }: CertificateDocument, listing: VaultListing | undefined): boolean {
  if (rotation && !isRotationOver(rotation) && rotation.reason !== 'WaitsForImport') return false
  if (!listing?.notAfter) return current !== undefined
  const known = [current, ...history.map(({ candidate }) => candidate)]
  const end = Date.parse(listing.notAfter)
  const isKnown = known.some((version) => version && Date.parse(version.notAfter) === end)
  const isDisabled = !listing.enabled && current !== undefined && Date.parse(current.notAfter) === end
  return isDisabled || (listing.enabled && !isKnown)
}
