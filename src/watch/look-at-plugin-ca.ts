import { readRoots } from '../mesh/trust/read-roots.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { FoundCertificate } from '../model/found.ts'
import { pluginPlace } from '../ports/ca-place.ts'
import { isPassing, troubleOf } from '../ports/vault-trouble.ts'
import type { FoundLook } from './record-found.ts'
import { againMs } from './retry.ts'
import type { WatchDeps } from './watch-deps.ts'

/** The public ones of the four secrets. The key is never asked for. */
const PUBLIC_PARTS = ['rootCert', 'caCert', 'certChain'] as const

/**
 * What the plug-in CA of a cluster holds in the vault, as Azure names its secrets, of a CA that nobody registered. Reads the
 * three public secrets and never the key. `attempts` counts failed looks in a row with this one.
 */
export async function lookAtPluginCa(deps: WatchDeps, cluster: ClusterDocument, attempts: number): Promise<FoundLook> {
  const place = pluginPlace(cluster)
  if (!place) return { state: 'failed', reason: 'NoPluginCa', message: `Cluster ${cluster.name} has no plug-in CA.` }
  try {
    const secrets = deps.vaults.secrets(place.vault)
    const found = new Map<string, FoundCertificate>()
    const missing: string[] = []
    for (const part of PUBLIC_PARTS) {
      const name = place.secrets[part]
      const secret = await secrets.readSecret(name)
      if (!secret) missing.push(name)
      for (const one of readRoots(secret?.value ?? '')) {
        const kind = part === 'rootCert' ? 'mesh-root' : 'mesh-signer'
        // The chain may end with a root, which is one already.
        if (!found.has(one.fingerprint)) found.set(one.fingerprint, { kind, object: `secret ${name}`, ...one })
      }
    }
    const certificates = [...found.values()]
    if (missing.length === 0)
      return { state: 'seen', reason: 'Read', message: 'The public secrets of the plug-in CA were read.', certificates }
    const message = `The vault ${place.vault} has no secret ${missing.join(', ')}.`
    return { state: 'seen', reason: 'SecretsMissing', message, certificates }
  } catch (error) {
    const trouble = troubleOf(error)
    const { reason, message } = trouble
    const failed = { state: 'failed', reason, message } as const
    if (!isPassing(trouble)) return failed
    const waitMs = Math.max(againMs(attempts, deps.random), trouble.retryAfterMs ?? 0)
    return { ...failed, again: deps.clock.now() + waitMs }
  }
}
