import { placeOfCa } from '../../ports/ca-place.ts'
import { troubleOf } from '../../ports/vault-trouble.ts'
import { backoffMs } from '../failures.ts'
import { keyFor } from './chains.ts'
import type { IdentityScene, LiveIdentity } from './identity-scene.ts'

/** Look again at what only another version or another setting mends. */
const REJECTED_RETRY_MS = 300_000

/** Why there is no key. Holds no part of one. `again` is epoch milliseconds. */
export interface Unfetched {
  readonly reason: string
  readonly message: string
  readonly again: number
}

/**
 * The key of the issuer that is to sign, as PEM: the one on the cluster where it belongs to it already, else that of the vault,
 * in its version, if it belongs to it. A secret: for the cluster alone.
 */
export async function fetchKey(
  scene: IdentityScene,
  { issuer: live }: LiveIdentity,
): Promise<{ readonly key: string } | Unfetched> {
  const { deps, ca, intent, cluster, before, now } = scene
  if (!intent.issuer) throw new Error('asked for without an issuer')
  const present = keyFor(live.key, intent.issuer.certChain)
  if (present !== undefined) return { key: present }
  const { caKeyVersion: version, certChain, fingerprint } = intent.issuer
  const later = now + backoffMs((before?.attempts ?? 0) + 1, deps.random)
  const place = placeOfCa(ca, cluster, deps.vaultUrl)
  if (!place) return { reason: 'VaultUnknown', message: 'Neither the CA nor the settings name a vault.', again: later }
  const name = place.secrets.caKey
  try {
    const secret = await deps.vaults.secrets(place.vault).readSecret(name, version)
    const what = `Version ${version} of secret ${name}`
    if (!secret) return { reason: 'VaultVersionMissing', message: `${what} is not in the vault.`, again: later }
    const key = keyFor(secret.value, certChain)
    if (key !== undefined) return { key }
    const message = `${what} is not the key of issuer ${fingerprint}.`
    return { reason: 'KeyMismatch', message, again: now + REJECTED_RETRY_MS }
  } catch (error) {
    const { reason, message, retryAfterMs = 0 } = troubleOf(error)
    return { reason, message, again: Math.max(later, now + retryAfterMs) }
  }
}
