import { timestamp } from '../model/names.ts'
import { isTerminal, type Rollout } from '../model/rollout.ts'
import { decidePending, decidePreflight } from './decide-preflight.ts'
import { decideBlind, decideProgressing } from './decide-progressing.ts'
import { decideBaking, decidePromoting } from './decide-promotion.ts'
import { decideRollingBack } from './decide-rollback.ts'
import { decideAwaitingApproval, decidePaused } from './decide-waiting.ts'
import type { Observations } from './observations.ts'

/**
 * The next state of a rollout from what was observed: pure and total. Gives the same object back when there is nothing to
 * change. One call makes at most one transition; the caller calls again until nothing changes.
 */
export function decide(rollout: Rollout, seen: Observations): Rollout {
  if (isTerminal(rollout.phase)) return rollout
  const looked = takeLooks(rollout, seen)
  switch (looked.phase) {
    case 'pending':
      return decidePending(looked, seen)
    case 'preflight':
      return decidePreflight(looked, seen)
    case 'progressing':
      return decideProgressing(looked, seen)
    case 'blind':
      return decideBlind(looked, seen)
    case 'promoting':
      return decidePromoting(looked, seen)
    case 'baking':
      return decideBaking(looked, seen)
    case 'rolling-back':
      return decideRollingBack(looked, seen)
    case 'paused':
      return decidePaused(looked, seen)
    case 'awaiting-approval':
      return decideAwaitingApproval(looked, seen)
    default:
      return looked
  }
}

/** Takes over what gates and traffic showed in this pass. */
function takeLooks(rollout: Rollout, seen: Observations): Rollout {
  if (seen.progress === rollout.progress && Object.keys(seen.observedWeights).length === 0) return rollout
  return {
    ...rollout,
    progress: seen.progress,
    updatedAt: timestamp(seen.now),
    targets: rollout.targets.map((target) => {
      const observedWeight = seen.observedWeights[target.cluster]
      return observedWeight === undefined ? target : { ...target, observedWeight }
    }),
  }
}
