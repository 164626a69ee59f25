/** One turn at a time: what goes wrong on one cluster shows before the next begins. */
export const TURN_MS = 86_400_000
/** Mesh CAs have one turn among them all. */
export const MESH_CA_TURN = 'mesh-ca'

/** Who has the turn. Whoever begins claims it before, by one conditional write: of two at once one gets it. */
export interface TurnState {
  /** `mesh-ca`. */
  readonly name: string
  /** Name of the mesh CA. */
  readonly ca: string
  readonly cluster: string
  /** Id of the rotation that begins: it may claim it again, so a crash before it began loses nothing. */
  readonly rotation: string
  /** RFC 3339. */
  readonly at: string
}
