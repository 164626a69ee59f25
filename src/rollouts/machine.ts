import { PHASES, type RolloutPhase } from '../model/rollout.ts'

/** `back`: the phase that a pause or a blindness came from. `end`: the end that the cause of the way back leads to. */
export type Target = RolloutPhase | 'back' | 'end'

type Row = Readonly<Partial<Record<RolloutPhase, Target>>>

/** Every phase from which there is a way back. */
const TO_ROLLING_BACK: Row = {
  pending: 'rolling-back',
  preflight: 'rolling-back',
  progressing: 'rolling-back',
  paused: 'rolling-back',
  'awaiting-approval': 'rolling-back',
  blind: 'rolling-back',
  promoting: 'rolling-back',
  baking: 'rolling-back',
}

const TO_PAUSED: Row = {
  preflight: 'paused',
  progressing: 'paused',
  'awaiting-approval': 'paused',
  blind: 'paused',
  promoting: 'paused',
  baking: 'paused',
}

/**
 * The state machine of a rollout: what each event leads to from each phase. A cell that is not there is no transition: a
 * verb is refused (409), and what Meshwright itself decides never comes then. A phase that leads to itself takes a step.
 */
export const MACHINE = {
  'place-free': { pending: 'preflight' },
  'candidate-ready': { preflight: 'progressing' },
  'caught-up': { progressing: 'progressing', promoting: 'promoting' },
  'left-out': { promoting: 'promoting' },
  'step-passed': { progressing: 'progressing', 'awaiting-approval': 'progressing' },
  'approval-asked': { progressing: 'awaiting-approval' },
  'steps-passed': { progressing: 'promoting', 'awaiting-approval': 'promoting' },
  'wave-passed': { promoting: 'preflight' },
  promoted: { promoting: 'baking' },
  baked: { baking: 'succeeded' },
  'next-rollout': { baking: 'succeeded' },
  'metrics-missing': { progressing: 'blind', promoting: 'blind', baking: 'blind' },
  'metrics-back': { blind: 'back' },
  harm: TO_ROLLING_BACK,
  'harm-frozen': { ...TO_PAUSED, paused: 'paused' },
  'versions-mixed': TO_ROLLING_BACK,
  'gave-up': TO_ROLLING_BACK,
  stuck: TO_PAUSED,
  'weights-changed': TO_PAUSED,
  'way-back-live': { 'rolling-back': 'end' },
  'way-back-failed': { 'rolling-back': 'failed' },
  promote: {
    preflight: 'promoting',
    progressing: 'promoting',
    paused: 'promoting',
    'awaiting-approval': 'promoting',
    blind: 'promoting',
  },
  'end-bake': { baking: 'succeeded', blind: 'succeeded', promoting: 'promoting' },
  pause: { pending: 'paused', ...TO_PAUSED },
  resume: { paused: 'back' },
  approve: { 'awaiting-approval': 'progressing' },
  'approve-of-several': { 'awaiting-approval': 'awaiting-approval' },
  reject: { 'awaiting-approval': 'rolling-back' },
  'break-glass': {
    pending: 'pending',
    preflight: 'preflight',
    progressing: 'progressing',
    'awaiting-approval': 'awaiting-approval',
    blind: 'blind',
    paused: 'paused',
    promoting: 'promoting',
    baking: 'baking',
  },
  abort: TO_ROLLING_BACK,
  rollback: TO_ROLLING_BACK,
} as const satisfies Readonly<Record<string, Row>>

export type RolloutEvent = keyof typeof MACHINE
export const ROLLOUT_EVENTS = Object.keys(MACHINE) as readonly RolloutEvent[]

/** Where an event leads from a phase; undefined: it does not take the event. */
export function targetOf(phase: RolloutPhase, event: RolloutEvent): Target | undefined {
  const row: Row = MACHINE[event]
  return row[phase]
}

const BACK: readonly RolloutPhase[] = ['pending', 'preflight', 'progressing', 'promoting', 'baking']
const BACK_FROM_BLIND: readonly RolloutPhase[] = ['progressing', 'promoting', 'baking']
const ENDS: readonly RolloutPhase[] = ['rolled-back', 'aborted', 'superseded']

/** Which phases each phase may go to: the table without its events. */
export const TRANSITIONS: ReadonlyMap<RolloutPhase, readonly RolloutPhase[]> = new Map(
  PHASES.map((phase) => [
    phase,
    [...new Set(ROLLOUT_EVENTS.flatMap((event) => phasesOf(phase, targetOf(phase, event))))],
  ]),
)

function phasesOf(phase: RolloutPhase, target: Target | undefined): readonly RolloutPhase[] {
  if (target === 'back') return phase === 'blind' ? BACK_FROM_BLIND : BACK
  if (target === 'end') return ENDS
  return target === undefined ? [] : [target]
}
