import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { type Gate, type GateInput, renewedGate, takenGate } from './gates.ts'
import { linkerdBeforeWrite, linkerdRenewedGate, linkerdTakenGate } from './linkerd-gates.ts'

/** What stands between the phases of a rotation. */
export interface Gates {
  /** Before a phase writes, besides what holds every write; undefined: it may. */
  readonly beforeWrite: (input: GateInput) => Gate | undefined
  /** Of a phase that wrote: has the cluster taken it? */
  readonly taken: (input: GateInput) => Gate
  /** Of a phase that waits for proxies. */
  readonly renewed: (input: GateInput) => Gate
}

const GATES: Readonly<Record<MeshCaSpec['purpose'], Gates>> = {
  'mesh-ca': { beforeWrite: () => undefined, taken: takenGate, renewed: renewedGate },
  'linkerd-identity': { beforeWrite: linkerdBeforeWrite, taken: linkerdTakenGate, renewed: linkerdRenewedGate },
}

/** The gates of a mesh. */
export function gatesOf({ purpose }: Pick<MeshCaSpec, 'purpose'>): Gates {
  return GATES[purpose]
}
