import { blindValue, isOutOfBounds, judgeValue } from '../judge/judge-value.ts'
import { looksOf, type ValueGate } from '../model/gate.ts'
import { timestamp } from '../model/names.ts'
import type { GateProgress, RolloutTarget } from '../model/rollout.ts'
import { askValue, type Blind, type QueryCase } from './ask-queries.ts'
import type { CountedWindow } from './count-window.ts'

/**
 * A value gate's progress after a look. Stable's value is asked for when the candidate's is out of bounds; one that cannot
 * be had, as of a stable version that gets no requests any more, excuses nothing. A blind look keeps the cursor.
 */
export async function lookAtValue(
  asked: QueryCase | Blind,
  gate: ValueGate,
  known: GateProgress,
  { window, target }: { readonly window: CountedWindow; readonly target: RolloutTarget },
): Promise<GateProgress> {
  const { min, max } = gate
  const question = { min, max, looks: looksOf(gate), breaches: known.breaches ?? 0 }
  const lookedAt = timestamp(window.nowMs)
  const blind = ({ reason, why }: Blind) => ({ ...known, lookedAt, last: blindValue(question, reason, why) })
  if ('ok' in asked) return blind(asked)
  const answer = await askValue(asked, gate, target.candidate, window)
  if (!answer.ok) return blind(answer)
  const stable = isOutOfBounds(answer.value, gate) ? await askValue(asked, gate, target.stable, window) : undefined
  const verdict = judgeValue({ ...question, value: answer.value, stable: stable?.ok ? stable.value : undefined })
  const { breaches: _before, ...rest } = known
  const { breaches } = verdict.value
  return { ...rest, cursorMs: window.toMs, lookedAt, last: verdict, ...(breaches === 0 ? {} : { breaches }) }
}
