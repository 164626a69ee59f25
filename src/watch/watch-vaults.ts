import { readRoots } from '../mesh/trust/read-roots.ts'
import type { CertificateDocument, FoundDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { type FoundCertificate, foundKey, vaultName } from '../model/found.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Vault, VaultListing } from '../ports/vault.ts'
import { troubleOf } from '../ports/vault-trouble.ts'
import { forget } from './look-at-place.ts'
import { type FoundLook, nextFound } from './record-found.ts'
import type { WatchDeps } from './watch-deps.ts'

/** What a scan saw of vaults, by address: what each lists. */
export type Listed = ReadonlyMap<string, readonly VaultListing[]>

/** So many are read anew in one look; the rest is told by name and end until the next. */
const MOST_READ = 50

type Deps = Pick<WatchDeps, 'store' | 'clock' | 'vaults' | 'vaultUrl'>

/**
 * Records what vaults hold that nobody registered, from the lists of a scan; the vault of the settings is listed here when no
 * certificate lies there. A vault of `failed`, which did not answer the scan, is asked once more. A certificate is read when its
 * end is new. Throws PortError of the store.
 */
export async function watchVaults(deps: Deps, listed: Listed, failed: readonly string[]): Promise<void> {
  const documents = await deps.store.all('certificate')
  const urls = new Set([...listed.keys(), ...failed, ...(deps.vaultUrl === undefined ? [] : [deps.vaultUrl])])
  const names = new Set<string>()
  for (const url of urls) {
    if (!URL.canParse(url)) continue
    const name = vaultName(url)
    names.add(name)
    await watchVault(deps, url, listed.get(url), registeredIn(deps, documents, name))
  }
  for (const { place, name } of await deps.store.all('found', { prefix: 'vault/' })) {
    if (!names.has(name)) await forget(deps, foundKey({ place, name }))
  }
}

function registeredIn(
  { vaultUrl }: Deps,
  documents: readonly CertificateDocument[],
  vault: string,
): ReadonlySet<string> {
  const inVault = documents.filter(({ spec }) => {
    const url = spec.vault ?? vaultUrl
    return url !== undefined && vaultName(url) === vault
  })
  return new Set(inVault.map(({ name, spec }) => (spec.vaultName ?? name).toLowerCase()))
}

async function watchVault(
  deps: Deps,
  url: string,
  listings: readonly VaultListing[] | undefined,
  registered: ReadonlySet<string>,
): Promise<void> {
  const { store, clock, vaults } = deps
  const place = { place: 'vault', name: vaultName(url) } as const
  const before = (await store.read('found', foundKey(place)))?.value
  const look = await lookAt(() => vaults.open(url), listings, registered, before)
  await changeDocument(store, 'found', foundKey(place), (stored): Result<Change<FoundDocument, undefined>> => {
    const document = nextFound(place, stored?.value, look, () => false, clock.now())
    return succeed({ kind: 'write', document, value: undefined })
  })
}

async function lookAt(
  open: () => Vault,
  known: readonly VaultListing[] | undefined,
  registered: ReadonlySet<string>,
  before: FoundDocument | undefined,
): Promise<FoundLook> {
  try {
    const vault = open()
    const listings = known ?? (await listAll(vault))
    const strangers = listings.filter(({ name, enabled }) => enabled && !registered.has(name.toLowerCase()))
    const certificates = await readAll(vault, strangers, before)
    const message = `${listings.length} certificates are in the vault, ${strangers.length} of them not registered.`
    return { state: 'seen', reason: 'Listed', message, certificates }
  } catch (error) {
    const { reason, message } = troubleOf(error)
    return { state: 'failed', reason, message }
  }
}

async function listAll(vault: Vault): Promise<readonly VaultListing[]> {
  const all: VaultListing[] = []
  for await (const page of vault.list()) all.push(...page)
  return all
}

/** Those whose end is as before are as before: versions do not change. One that cannot be read is told by name and end. */
async function readAll(
  vault: Vault,
  listings: readonly VaultListing[],
  before: FoundDocument | undefined,
): Promise<readonly FoundCertificate[]> {
  const known = new Map(before?.certificates.map((one) => [`${one.object} ${one.notAfter}`, one]))
  let reads = 0
  const found: FoundCertificate[] = []
  for (const { name, notAfter } of listings) {
    if (notAfter === undefined) continue
    const object = `certificate ${name}`
    const brief: FoundCertificate = { kind: 'vault-certificate', object, notAfter }
    const same = known.get(`${object} ${notAfter}`)
    const isRead = same?.fingerprint !== undefined
    const mayRead = !isRead && reads < MOST_READ
    if (mayRead) reads += 1
    found.push(mayRead ? await read(vault, name, brief) : (same ?? brief))
  }
  return found
}

async function read(vault: Vault, name: string, brief: FoundCertificate): Promise<FoundCertificate> {
  try {
    const version = await vault.version(name)
    if (!version || Date.parse(version.notAfter) !== Date.parse(brief.notAfter)) return brief
    const [facts] = readRoots(version.pem)
    return { ...facts, ...brief }
  } catch (error) {
    if (!isPortError(error)) throw error
    return brief
  }
}
