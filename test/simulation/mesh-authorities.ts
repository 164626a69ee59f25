import type { CaSecretNames } from '../../src/model/mesh-ca.ts'
import type { EmulatedCluster } from '../../src/sandbox/emulated-cluster.ts'
import type { CaTexts } from '../../src/sandbox/emulators/istiod/ca-bundle.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { tokenFor } from './app-tokens.ts'
import type { MeshSide } from './mesh-side.ts'
import type { VaultSide } from './vault-side.ts'
import { VAULT_AUDIENCE } from './vault-side.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { Watch } from './watch/watch.ts'

export interface MeshAuthorityOptions {
  readonly time: VirtualTime
  readonly vault: VaultSide
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
  readonly meshes: ReadonlyMap<string, MeshSide>
  readonly watch: Watch
}

/** The CSI driver and istiod of each cluster, for as long as the run lasts; after each step who trusts whom is looked at. */
export function startMeshAuthorities({ time, vault, clusters, meshes, watch }: MeshAuthorityOptions): void {
  for (const [name, mesh] of meshes) {
    let texts: CaTexts | undefined
    let lookedAt = Number.NEGATIVE_INFINITY
    const tick = async () => {
      time.after(mesh.tickMs, () => void tick())
      if (!mesh.isStuck && time.now() - lookedAt >= mesh.pollMs) {
        lookedAt = time.now()
        // A mount that fails changes nothing of what is there.
        texts = (await readTexts(vault, time.now(), mesh.names)) ?? texts
      }
      mesh.istiod.advance(texts, mesh.ttl.ms)
      const kubernetes = clusters.get(name)?.kubernetes
      watch.trust.looked(name, mesh, kubernetes?.list('v1', 'ConfigMap') ?? [], time.now())
    }
    time.after(mesh.tickMs, () => void tick())
  }
}

/** One after the other, as the driver does: what is written meanwhile makes a mix. Undefined while one is missing. */
export async function readTexts(vault: VaultSide, now: number, names: CaSecretNames): Promise<CaTexts | undefined> {
  const [rootCert, caCert, certChain, caKey] = [
    await readText(vault, now, names.rootCert),
    await readText(vault, now, names.caCert),
    await readText(vault, now, names.certChain),
    await readText(vault, now, names.caKey),
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
