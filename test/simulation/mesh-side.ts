import type { CaSecretNames } from '../../src/model/mesh-ca.ts'
import type { EmulatorContext } from '../../src/sandbox/emulators/emulator.ts'
import { type IstiodEmulator, istiodEmulator } from '../../src/sandbox/emulators/istiod/istiod.ts'
import type { KubernetesEmulator } from '../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'

/** What the meshes of a run have in common. */
export interface MeshHabits {
  /** The longest lifetime of a workload's certificate: as specs have it, and in milliseconds. */
  readonly ttl: { readonly text: string; readonly ms: number }
  /** How often the CSI driver reads the vault at first. */
  readonly pollMs: number
  /** How often istiod and its proxies do what is due. */
  readonly tickMs: number
  /** False: nobody scrapes istiod. */
  readonly tells: boolean
}

/** The mesh of one cluster: istiod as its CA, and the driver that mounts what the vault holds. */
export interface MeshSide extends Omit<MeshHabits, 'pollMs'> {
  readonly istiod: IstiodEmulator
  readonly names: CaSecretNames
  pollMs: number
  /** The driver does not mount now. */
  isStuck: boolean
  /** Another hand wrote what breaks trust, or istiod: what follows from it is not ours. */
  isSpoiled: boolean
}

/** So short that a rotation takes minutes. */
export const QUICK_MESH: MeshHabits = { ttl: { text: '80s', ms: 80_000 }, pollMs: 10_000, tickMs: 5000, tells: true }

/** Names of the four secrets of a cluster, which share a vault. */
export function caNames(cluster: string): CaSecretNames {
  const of = (name: string) => (cluster === 'east' ? name : `${cluster}-${name}`)
  return { rootCert: of('root-cert'), caCert: of('ca-cert'), certChain: of('cert-chain'), caKey: of('ca-key') }
}

export function meshSide(
  context: EmulatorContext,
  kubernetes: KubernetesEmulator,
  name: string,
  habits: MeshHabits,
): MeshSide {
  const istiod = istiodEmulator(context, { kubernetes, name })
  return { ...habits, istiod, names: caNames(name), isStuck: false, isSpoiled: false }
}
