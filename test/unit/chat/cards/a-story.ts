import type { EventRecord } from '../../../../src/model/event.ts'
import { GATE } from '../../../../src/model/identity.ts'
import type { GateVerdict, Rollout } from '../../../../src/model/rollout.ts'
import { aProgress, aRollout, aTarget, later } from '../../rollouts/fixture.ts'

/** An event of shop/web's rollout, two minutes after it took its weight. */
export function anEvent(type: string, change: Partial<EventRecord> = {}): EventRecord {
  return {
    id: `${type}:shop.web.k3:1`,
    type,
    time: later(120_000),
    subject: 'rollouts/shop.web.k3',
    actor: GATE,
    reason: 'LimitExceeded',
    message: 'gate errors on west: 12 of 240 requests failed; the limit is 1 %.',
    data: { rollout: 'shop.web.k3', candidate: 'v2' },
    ...change,
  }
}

export const HARM: GateVerdict = {
  verdict: 'harm',
  reason: 'LimitExceeded',
  explanation: '12 of 240 requests failed',
  candidate: { good: 228, bad: 12 },
  stable: { good: 1000, bad: 1 },
  eValue: 31_234_567,
  pValue: 0,
  interval: [0.02, 0.09],
  alpha: 0.01,
  limitPercent: 1,
}
export const SAFE: GateVerdict = {
  ...HARM,
  verdict: 'safe',
  reason: 'WithinLimit',
  candidate: { good: 240, bad: 0 },
  eValue: 0.012,
}

/** Half-way: 50 % asked on both clusters, one gate that calls harm on west. */
export function aHarmfulRollout(change: Partial<Rollout> = {}): Rollout {
  return aRollout('progressing', {
    step: 1,
    weight: 50,
    targets: [aTarget('east', 50, { observedWeight: 49.6 }), aTarget('west', 50)],
    progress: [aProgress('east', { last: SAFE }), aProgress('west', { last: HARM })],
    source: { commit: 'c0ffee1', runUrl: 'https://ci.example.com/runs/7?a=1&b=2' },
    ...change,
  })
}
