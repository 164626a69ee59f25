import type { EmulatedCluster } from '../../src/sandbox/emulated-cluster.ts'
import type { CaTexts } from '../../src/sandbox/emulators/istiod/ca-bundle.ts'
import type { IstiodEmulator } from '../../src/sandbox/emulators/istiod/istiod.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { tokenFor } from './app-tokens.ts'
import type { VaultSide } from './vault-side.ts'
import { VAULT_AUDIENCE } from './vault-side.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { Watch } from './watch/watch.ts'

/** Workload certificates are so short that a rotation takes an hour, not days. */
export const WORKLOAD_TTL = { text: '10m', ms: 600_000 } as const
const POLL_MS = 20_000
const TICK_MS = 10_000

export interface MeshAuthorityOptions {
  readonly time: VirtualTime
  readonly vault: VaultSide
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
  readonly istiods: ReadonlyMap<string, IstiodEmulator>
  readonly watch: Watch
}

/** The CSI driver and istiod of each cluster, for as long as the run lasts; after each step who trusts whom is looked at. */
export function startMeshAuthorities({ time, vault, clusters, istiods, watch }: MeshAuthorityOptions): void {
  for (const [name, istiod] of istiods) {
    let texts: CaTexts | undefined
    let lookedAt = Number.NEGATIVE_INFINITY
    const tick = async () => {
      time.after(TICK_MS, () => void tick())
      if (time.now() - lookedAt >= POLL_MS) {
        lookedAt = time.now()
        // A mount that fails changes nothing of what is there.
        texts = (await readTexts(vault, time.now())) ?? texts
      }
      istiod.advance(texts, WORKLOAD_TTL.ms)
      const kubernetes = clusters.get(name)?.kubernetes
      watch.trust(name, istiod, kubernetes?.list('v1', 'ConfigMap') ?? [], time.now())
    }
    time.after(TICK_MS, () => void tick())
  }
}

/** One after the other, as the driver does: what is written meanwhile makes a mix. */
async function readTexts(vault: VaultSide, now: number): Promise<CaTexts | undefined> {
  const [rootCert, caCert, certChain, caKey] = [
    await readText(vault, now, 'root-cert'),
    await readText(vault, now, 'ca-cert'),
    await readText(vault, now, 'cert-chain'),
    await readText(vault, now, 'ca-key'),
  ]
  if (rootCert === undefined || caCert === undefined || certChain === undefined || caKey === undefined) return undefined
  return { rootCert, caCert, certChain, caKey }
}

async function readText({ keyVault }: VaultSide, now: number, name: string): Promise<string | undefined> {
  const answer = await keyVault.handle({
    method: 'GET',
    url: new URL(`${SANDBOX_VAULT}/secrets/${name}?api-version=7.4`),
    headers: { authorization: `Bearer ${tokenFor(VAULT_AUDIENCE, now)}` },
    body: new Uint8Array(),
  })
  return answer.status === 200 ? (JSON.parse(String(answer.body)) as { readonly value?: string }).value : undefined
}
