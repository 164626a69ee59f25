import type { MeshCaDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { askVault, recordAsked } from './ask-vault.ts'
import { decideCa } from './decide-ca.ts'
import type { MeshCaDeps } from './deps.ts'
import type { CaEffect, CaHold } from './observations.ts'
import { observeCa } from './observe.ts'
import { claimTurn, needsTurn } from './turn.ts'

/** Looks a message may cost; what is left to do then is asked for by the document. */
const MOST_LOOKS = 8

interface Pass {
  readonly effect?: CaEffect
  /** Epoch milliseconds at which it was seen what the effect follows from. */
  readonly at: number
  /** There is something to do at once. */
  readonly more: boolean
}

/**
 * Looks at a mesh CA and takes the next step of its rotation: observe, decide, one conditional write, then at most one thing
 * asked of the vault; as often as there is something to do at once. Safe to call at any time and by several at once: when
 * nothing is due it writes nothing. Throws PortError when the store cannot be reached: the message comes again.
 */
export async function advanceCa(deps: MeshCaDeps, name: string, session?: string): Promise<Result<undefined>> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const changed = await changeDocument(deps.store, 'mesh-ca', name, (stored) => pass(deps, stored?.value), session)
    if (!changed.ok) return changed
    const { effect, at, more } = changed.value.value
    const document = changed.value.stored?.value
    if (effect && document?.rotation) {
      const { phase, direction } = document.rotation
      const outcome = await askVault(deps, document, effect, at)
      const recorded = await recordAsked(deps, name, { effect, phase, direction }, outcome)
      if (!recorded.ok) return recorded
      if ('trouble' in outcome) return succeed(undefined)
    } else if (!more) break
  }
  return succeed(undefined)
}

async function pass(
  deps: MeshCaDeps,
  before: MeshCaDocument | undefined,
): Promise<Result<Change<MeshCaDocument, Pass>>> {
  const at = deps.clock.now()
  if (!before) return succeed({ kind: 'leave', value: { at, more: false } })
  const seen = await observeCa(deps, before)
  const decided = decideCa(before, seen)
  const held = decided.kind === 'write' ? await holdOfTurn(deps, before, decided.document) : succeed(undefined)
  if (!held.ok) return held
  const decision = held.value ? decideCa(before, { ...seen, holds: [...seen.holds, held.value] }) : decided
  if (decision.kind === 'leave') return succeed({ kind: 'leave', value: { at, more: false } })
  const { document, effect } = decision
  const more = document.dueAt !== undefined && Date.parse(document.dueAt) <= deps.clock.now()
  return succeed({ kind: 'write', document, value: { at, more, ...(effect ? { effect } : {}) } })
}

/** The turn is claimed before what begins is written; claiming it twice is claiming it once. */
async function holdOfTurn(
  { store, clock }: MeshCaDeps,
  before: MeshCaDocument,
  after: MeshCaDocument,
): Promise<Result<CaHold | undefined>> {
  return needsTurn(before, after) ? claimTurn(store, after, clock.now()) : succeed(undefined)
}
