import type { EventRecord } from '../../../../src/model/event.ts'
import { timestamp } from '../../../../src/model/names.ts'
import type { GateVerdict, Rollout, RolloutPhase, Transition } from '../../../../src/model/rollout.ts'
import { aRollout, aTarget, MINUTE, PERSON, SECOND, T0 } from '../../rollouts/fixture.ts'

const GATE = { kind: 'gate', id: 'gate', name: 'gate' } as const

interface Move {
  readonly at: number
  readonly to: RolloutPhase
  readonly reason: string
  readonly message: string
  readonly step: number
  readonly wave: number
  readonly weights: Readonly<Record<string, number>>
}

const MOVES: readonly Move[] = [
  move(5, 'preflight', 'Starting', 'Waiting for ready endpoints of the candidate.', -1, 0, [0, 0]),
  move(20, 'progressing', 'CandidateReady', 'wave 1 of 2 (east): first step: 10 % for 2m.', 0, 0, [10, 0]),
  move(100, 'blind', 'Blind', 'gate errors on east: Prometheus east answered 503.', 0, 0, [10, 0]),
  move(130, 'progressing', 'MetricsBack', 'Gates see again.', 0, 0, [10, 0]),
  move(180, 'progressing', 'StepPassed', 'Step 1 (10 % for 2m) passed: no gate says harm.', 1, 0, [50, 0]),
  move(330, 'promoting', 'StepsPassed', 'The last step passed: no gate says harm.', 1, 0, [100, 0]),
  move(420, 'preflight', 'WavePassed', 'wave 1 of 2 (east): passed. wave 2 of 2 (west): all begins.', -1, 1, [100, 0]),
  move(440, 'progressing', 'CandidateReady', 'wave 2 of 2 (west): first step: 10 % for 2m.', 0, 1, [100, 10]),
  move(540, 'rolling-back', 'LimitExceeded', 'gate errors on west: 19 of 240 requests failed (7.9 %).', 0, 1, [0, 0]),
  move(552, 'rolled-back', 'LimitExceeded', 'gate errors on west: 19 of 240 requests failed (7.9 %).', 0, 1, [0, 0]),
]

/** A rollout over two waves: east goes well, with a time in which metrics were missing; west shows harm. */
export function twoWaves(): { rollout: Rollout; events: readonly EventRecord[] } {
  const steps = [
    { weight: 10, for: '2m' },
    { weight: 50, for: '2m' },
  ]
  const rollout = aRollout('rolled-back', {
    message: 'gate errors on west: 19 of 240 requests failed (7.9 %).',
    targets: [aTarget('east', 0), aTarget('west', 0)],
    waves: [
      { name: 'canary', clusters: ['east'], steps, bakeMs: MINUTE },
      { name: 'rest', clusters: ['west'], steps, bakeMs: 0 },
    ],
    wave: 1,
    changes: [{ field: 'labels.version', from: 'v1', to: 'v2' }],
    startedAt: timestamp(T0),
    endedAt: timestamp(T0 + 552 * SECOND),
    history: transitions(),
  })
  return { rollout, events: [...MOVES.map(moveEvent), ...lookEvents()] }
}

function move(
  at: number,
  to: RolloutPhase,
  reason: string,
  message: string,
  step: number,
  wave: number,
  [east, west]: readonly [number, number],
): Move {
  return { at: T0 + at * SECOND, to, reason, message, step, wave, weights: { east, west } }
}

function transitions(): readonly Transition[] {
  return MOVES.map(({ at, to, reason, message, step, wave, weights }, index) => ({
    from: MOVES[index - 1]?.to ?? 'pending',
    to,
    at: timestamp(at),
    actor: reason === 'LimitExceeded' ? GATE : PERSON,
    reason,
    message,
    wave,
    step,
    weight: weights[wave === 0 ? 'east' : 'west'] ?? 0,
  }))
}

function moveEvent({ at, weights }: Move, index: number): EventRecord {
  const { actor, reason, message, ...data } = transitions()[index] ?? ({} as Transition)
  return event(`rollout.${data.to}`, at, { actor, reason, message }, { ...data, weights })
}

function lookEvents(): readonly EventRecord[] {
  return [
    ...looks('east', { wave: 0, step: 0, asked: 10 }, [30, 180], 0.2),
    ...looks('east', { wave: 0, step: 1, asked: 50 }, [190, 330], 0.3),
    ...looks('east', { wave: 0, step: 1, asked: 100 }, [340, 540], 0.4),
    ...looks('west', { wave: 1, step: 0, asked: 10 }, [450, 540], 8),
  ]
}

type Place = { readonly wave: number; readonly step: number; readonly asked: number }

/** A look every ten seconds: 400 requests each, of which stable fails 0.3 %, the candidate `badPercent`. */
function looks(
  cluster: string,
  place: Place,
  [from, to]: readonly [number, number],
  badPercent: number,
): readonly EventRecord[] {
  const events: EventRecord[] = []
  for (let at = from + 10, number = 1; at <= to; at += 10, number += 1) {
    const isBlind = at > 90 && at <= 130
    const seen = number * 4 * place.asked
    const candidate = countsOf(seen, badPercent)
    const stable = countsOf(number * 400 - seen, 0.3)
    const share = candidate.bad / seen
    const eValue = badPercent > 1 ? 1.9 ** number : 1.1 ** -number
    const said = isBlind ? 'blind' : eValue > 300 ? 'harm' : eValue < 0.4 ? 'safe' : 'undecided'
    const verdict: GateVerdict = {
      verdict: said,
      reason: 'Test',
      explanation: `${candidate.bad} of ${seen} requests failed`,
      candidate,
      stable,
      eValue,
      pValue: Math.min(1, 1 / eValue),
      interval: [share / 3, Math.min(1, share * 2 + 8 / seen)],
      alpha: 0.01 / 3,
      limitPercent: 1,
    }
    const toMs = T0 + (at - 5) * SECOND
    const window = {
      fromMs: toMs - 10 * SECOND,
      toMs,
      candidate: countsOf(4 * place.asked + (number % 3), badPercent),
      stable: countsOf(400 - 4 * place.asked, 0.3),
    }
    const data = { gate: 0, kind: 'errors', cluster, ...place, counted: isBlind ? {} : window, verdict }
    const cause = { actor: GATE, reason: 'Test', message: verdict.explanation }
    events.push(event('rollout.look', T0 + at * SECOND, cause, data))
  }
  return events
}

function countsOf(requests: number, badPercent: number): { good: number; bad: number } {
  const bad = Math.round((requests * badPercent) / 100)
  return { good: requests - bad, bad }
}

function event(
  type: string,
  at: number,
  cause: Pick<EventRecord, 'actor' | 'reason' | 'message'>,
  data: EventRecord['data'],
): EventRecord {
  const time = timestamp(at)
  return {
    id: `${type} ${time} ${data?.cluster ?? ''}`,
    type,
    time,
    subject: 'rollouts/shop.web.k3',
    ...cause,
    data: data ?? {},
  }
}
