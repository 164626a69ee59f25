import { isCaRotationOver } from '../model/ca-rotation.ts'
import { type MeshCaDocument, SCHEMA, type TurnDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { MESH_CA_TURN, TURN_MS } from '../model/turn.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Store } from '../ports/store.ts'
import type { CaHold } from './observations.ts'
import { urgencyOf } from './obstacles.ts'

/** Why the CA may not begin for another cluster's turn; empty: it may, or has the turn itself. Throws PortError. */
export async function turnHolds(store: Store, { spec }: MeshCaDocument, now: number): Promise<readonly CaHold[]> {
  const turn = (await store.read('turn', MESH_CA_TURN))?.value
  return turn && (await isTaken(store, turn, spec.cluster, now)) ? [holdOf(turn)] : []
}

/** Is a decision about to begin a rotation that has to have the turn? A first CA changes nothing that is in use. */
export function needsTurn(before: MeshCaDocument, after: MeshCaDocument): boolean {
  const { rotation } = after
  const isBegun = before.rotation?.id === rotation?.id && before.rotation?.begunAt !== undefined
  return rotation?.from !== undefined && rotation.begunAt !== undefined && !isBegun
}

/**
 * Claims the turn for the rotation that is about to begin, by one conditional write before it begins: of two at once only one
 * begins. The same rotation may claim again, so a crash in between loses nothing. What ends soon takes the turn from whoever
 * has it. The value is what holds the CA back; undefined: it has the turn. Throws PortError.
 */
export async function claimTurn(
  store: Store,
  { name, spec, rotation }: MeshCaDocument,
  now: number,
): Promise<Result<CaHold | undefined>> {
  if (!rotation) return succeed(undefined)
  const isUrgent = urgencyOf(rotation.from, now) !== 'none'
  const mine = { ca: name, cluster: spec.cluster, rotation: rotation.id, at: timestamp(now) }
  const claimed = await changeDocument(
    store,
    'turn',
    MESH_CA_TURN,
    async (stored): Promise<Result<Change<TurnDocument, CaHold | undefined>>> => {
      const turn = stored?.value
      if (turn?.rotation === rotation.id) return succeed({ kind: 'leave', value: undefined })
      if (turn && !isUrgent && (await isTaken(store, turn, spec.cluster, now)))
        return succeed({ kind: 'leave', value: holdOf(turn) })
      const base = { schema: SCHEMA, kind: 'turn', name: MESH_CA_TURN, outbox: [], createdAt: mine.at } as const
      return succeed({ kind: 'write', document: { ...base, ...turn, ...mine, updatedAt: mine.at }, value: undefined })
    },
  )
  return claimed.ok ? succeed(claimed.value.value) : claimed
}

/** A turn that is of another cluster, not over, and was not given up before anything was written. */
async function isTaken(store: Store, turn: TurnDocument, cluster: string, now: number): Promise<boolean> {
  if (turn.cluster === cluster || Date.parse(turn.at) + TURN_MS <= now) return false
  const { rotation, history = [] } = (await store.read('mesh-ca', turn.ca))?.value ?? {}
  const claimed = [...(rotation ? [rotation] : []), ...history].find(({ id }) => id === turn.rotation)
  return !claimed || claimed.begunAt !== undefined || !isCaRotationOver(claimed)
}

function holdOf({ cluster, at }: TurnDocument): CaHold {
  const message = `The CA of cluster ${cluster} had its turn within a day: one cluster a day.`
  return { kind: 'turn', reason: 'WaitsForTurn', message, until: Date.parse(at) + TURN_MS }
}
