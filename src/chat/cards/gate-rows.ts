import { gateText } from '../../model/gate.ts'
import type { GateProgress, Rollout, ValueSeen, Verdict } from '../../model/rollout.ts'
import type { GateRow } from './story.ts'

const WORST_FIRST: readonly Verdict[] = ['harm', 'blind', 'undecided', 'safe']

/** What each gate saw last on each cluster, the worst first. */
export function gateRows(rollout: Rollout): readonly GateRow[] {
  return rollout.progress
    .flatMap((progress) => gateRow(rollout, progress))
    .toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict))
}

function gateRow(rollout: Rollout, { gate, cluster, last }: GateProgress): readonly GateRow[] {
  if (last === undefined) return []
  const spec = rollout.gates[gate]
  const name = spec ? gateText(spec) : `gate ${gate}`
  const row = { gate: name, cluster, verdict: last.verdict }
  if (last.verdict === 'blind') return [{ ...row, counts: 'no numbers', evidence: '' }]
  if (last.value) return [{ ...row, ...valueWords(last.value) }]
  const { good, bad } = last.candidate
  const all = good + bad
  const share = all === 0 ? '' : ` (${rounded((100 * bad) / all)} %)`
  const limit = last.limitPercent === undefined ? '' : `, limit ${rounded(last.limitPercent)} %`
  const counts = `${bad} of ${all} bad${share}${limit}`
  return [{ ...row, counts, evidence: `evidence ${rounded(last.eValue)} of ${rounded(1 / last.alpha)}` }]
}

function valueWords({ candidate, breaches, looks }: ValueSeen): Pick<GateRow, 'counts' | 'evidence'> {
  return { counts: `value ${rounded(candidate)}`, evidence: `out of bounds ${breaches} of ${looks} looks` }
}

/** Three digits; large ones by powers of ten. */
function rounded(value: number): string {
  if (!Number.isFinite(value)) return '∞'
  if (Math.abs(value) >= 1e6) return value.toExponential(1).replace('e+', 'e')
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
}
