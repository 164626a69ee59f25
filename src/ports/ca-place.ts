import type { ClusterDocument } from '../model/documents.ts'
import type { CaSecretNames, MeshCaSpec } from '../model/mesh-ca.ts'

/** Where the secrets of a CA are. */
export interface CaPlace {
  /** Address of the vault: its origin. */
  readonly vault: string
  readonly secrets: CaSecretNames
}

/** Names of vaults and of what is in them know no case. */
export function isSamePlace(one: CaPlace, other: CaPlace): boolean {
  return placeKeys(one).join() === placeKeys(other).join()
}

/** The secrets of a place, each with its vault, in lower case. */
export function placeKeys({ vault, secrets }: CaPlace): readonly string[] {
  const { rootCert, caCert, certChain, caKey } = secrets
  return [rootCert, caCert, certChain, caKey].map((name) => `${vault}/${name}`.toLowerCase())
}

type Cluster = Pick<ClusterDocument, 'aks'> | undefined

const ISTIO_NAMES: CaSecretNames = {
  rootCert: 'root-cert',
  caCert: 'ca-cert',
  certChain: 'cert-chain',
  caKey: 'ca-key',
}

/** Several clusters may share a vault, and nothing mounts these: their names are of the CA. */
function linkerdNames(name: string): CaSecretNames {
  return {
    rootCert: `${name}-anchors`,
    caCert: `${name}-issuer`,
    certChain: `${name}-issuer-chain`,
    caKey: `${name}-issuer-key`,
  }
}

/** Where the plug-in CA of a cluster reads its secrets, as Azure says; undefined where there is none. */
export function pluginPlace(cluster: Cluster): CaPlace | undefined {
  const plugin = cluster?.aks?.mesh?.pluginCa
  if (!plugin) return undefined
  const name = plugin.keyVaultId.split('/').at(-1)?.toLowerCase() ?? ''
  const { rootCert, cert: caCert, certChain, key: caKey } = plugin
  return { vault: `https://${name}.vault.azure.net`, secrets: { rootCert, caCert, certChain, caKey } }
}

/** What of a CA says where its secrets are. */
export interface PlacedCa {
  readonly name: string
  readonly spec: Pick<MeshCaSpec, 'purpose' | 'vault' | 'secrets'>
  readonly place?: CaPlace
}

/**
 * Where the secrets of a CA are: where they were when it was made or found. Before that as its spec says; else, of Istio, as
 * the plug-in CA; else in the vault `vaultUrl` of the settings under the names of its purpose. Undefined where none names a
 * vault. Throws TypeError when one is no URL.
 */
export function placeOfCa(
  { name, spec, place }: PlacedCa,
  cluster: Cluster,
  vaultUrl: string | undefined,
): CaPlace | undefined {
  if (place) return place
  const isLinkerd = spec.purpose === 'linkerd-identity'
  const plugin = isLinkerd ? undefined : pluginPlace(cluster)
  const vault = spec.vault ?? plugin?.vault ?? vaultUrl
  if (vault === undefined) return undefined
  const names = isLinkerd ? linkerdNames(name) : ISTIO_NAMES
  return { vault: new URL(vault).origin, secrets: spec.secrets ?? plugin?.secrets ?? names }
}
