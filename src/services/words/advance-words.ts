import type { ServiceDocument } from '../../model/documents.ts'
import { type Result, succeed } from '../../model/failure.ts'
import { decideSpread } from '../../model/policy/decide-spread.ts'
import { type Change, changeDocument } from '../../ports/change-document.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { readPlacements } from '../read-placements.ts'
import { foldWords } from './fold-words.ts'
import { observeWords, spreadSubject } from './observe-words.ts'

interface WordsDeps {
  readonly store: Store
  readonly clock: Clock
}

/** Waves that nobody has to wait for; what is left to do then is asked for by the document. */
const MOST_PASSES = 8

/**
 * Takes a change of a service's own words on its way: the next wave is let go when the one before is live, in one write with the render
 * revision that brings it. Safe to call at any time and by several at once; when nothing is due it writes nothing. The failure is a
 * lost race: the message comes again. Throws PortError of the store.
 */
export async function advanceWords(deps: WordsDeps, key: string, session?: string): Promise<Result<undefined>> {
  for (let passes = 0; passes < MOST_PASSES; passes += 1) {
    const changed = await changeDocument(deps.store, 'service', key, (stored) => pass(deps, stored?.value), session)
    if (!changed.ok) return changed
    if (changed.value.value === 'over') return succeed(undefined)
  }
  return succeed(undefined)
}

async function pass(
  { store, clock }: WordsDeps,
  before: ServiceDocument | undefined,
): Promise<Result<Change<ServiceDocument, 'over' | 'again'>>> {
  const spread = before?.spread
  const subject = before && spreadSubject(before)
  if (!spread || !subject || before.deletingAt) return succeed({ kind: 'leave', value: 'over' })
  const [clusters, placements] = await Promise.all([store.all('cluster'), readPlacements(store, before)])
  const decision = decideSpread(subject, observeWords(before, clusters, placements), clock.now())
  const spreading = { ...before, spread }
  const document = foldWords(spreading, decision, clock.now())
  const value = decision.kind === 'release' || decision.kind === 'apply' ? 'again' : 'over'
  return succeed(document === spreading ? { kind: 'leave', value } : { kind: 'write', document, value })
}
