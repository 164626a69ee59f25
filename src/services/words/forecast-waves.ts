import type { ClusterDocument, PlacementDocument, ServiceDocument } from '../../model/documents.ts'
import { decideSpread, type SpreadPlacement } from '../../model/policy/decide-spread.ts'
import type { Spread } from '../../model/policy/spread.ts'
import { observeWords, spreadSubject } from './observe-words.ts'

/** The clusters of each wave that a change on its way has yet to let go, as things are now. `now` is epoch milliseconds. Pure. */
export function forecastWaves(
  service: ServiceDocument,
  clusters: readonly ClusterDocument[],
  placements: readonly PlacementDocument[],
  now: number,
): readonly (readonly string[])[] {
  const subject = spreadSubject(service)
  if (!subject) return []
  const percents = subject.spec.waves?.percents
  const spec = percents ? { waves: { percents, bake: '0s' } } : {}
  let states = observeWords(service, clusters, placements).map(arrived)
  let spread: Spread | undefined = subject.spread
  const waves: (readonly string[])[] = []
  while (waves.length < clusters.length) {
    const decision = decideSpread({ ...subject, spec, ...(spread ? { spread } : {}) }, states, now)
    if (decision.kind !== 'release') break
    spread = decision.spread
    const names = spread.released.map(({ cluster }) => cluster)
    waves.push(names)
    states = states.map((one) => (names.includes(one.cluster) ? arrived({ ...one, state: 'reached' }) : one))
  }
  return waves
}

/** What was let go is taken for live. */
function arrived(placement: SpreadPlacement): SpreadPlacement {
  return placement.state === 'reached' ? { ...placement, live: true, liveAt: 0 } : placement
}
