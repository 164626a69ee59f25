import type { ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { AWAITING_PHASES, isTerminal, type Rollout } from '../model/rollout.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Stored } from '../ports/store.ts'
import { askingOnce, callWebhook, type WebhookDeps } from './call-webhook.ts'
import { decide } from './decide.ts'
import { foldRollouts } from './fold-rollouts.ts'
import type { Observations } from './observations.ts'
import { type ObserveDeps, observe } from './observe.ts'
import { asksRender } from './transition.ts'

/** A decision that changes no weight may be followed by another at once; never by more than the phases there are. */
const MOST_TRANSITIONS = 6

export interface AdvanceDeps extends ObserveDeps, WebhookDeps {}

/** For a caller that carries out itself what a decision asks of clusters: `done` are the entries of outboxes it has done. */
export interface AdvanceInPlace {
  readonly done: ReadonlySet<string>
}

/**
 * Looks once at every live rollout of a service and takes the next step of each that is due: gather, judge, decide, one
 * conditional write, effects through its outbox. Safe to call at any time and by several at once; when nothing is due it
 * writes nothing. Gives the document if it was written; with `inPlace` its outbox is left to the caller. Throws PortError
 * when the store cannot be reached: the message comes again.
 */
export async function advanceRollouts(
  deps: AdvanceDeps,
  service: string,
  session?: string,
  inPlace?: AdvanceInPlace,
): Promise<Result<Stored<ServiceDocument> | undefined>> {
  const once = askingOnce(deps)
  const changed = await changeDocument(
    deps.store,
    'service',
    service,
    async (stored): Promise<Result<Change<ServiceDocument, undefined>>> => {
      const before = stored?.value
      if (!before || before.rollouts.length === 0) return succeed({ kind: 'leave', value: undefined })
      const after = await advanceAll(once, before, session)
      const document = foldRollouts(before, after, deps.clock.now())
      if (document === before) return succeed({ kind: 'leave', value: undefined })
      const outbox = document.outbox.filter(({ id }) => !inPlace?.done.has(id))
      return succeed({ kind: 'write', document: { ...document, outbox }, value: undefined })
    },
    session,
    inPlace ? 'left' : 'sent',
  )
  if (!changed.ok) return changed
  return succeed(changed.value.written ? changed.value.stored : undefined)
}

/**
 * Decides on all, and only then makes the calls of webhook steps and decides anew on those that were answered. All is one
 * write, so where a rollout beside it has moved, a step's call is left to its next look: a way back, or a pause, waits for
 * nobody's answer.
 */
async function advanceAll(
  deps: AdvanceDeps,
  service: ServiceDocument,
  session: string | undefined,
): Promise<readonly Rollout[]> {
  const first = await Promise.all(
    service.rollouts.map(async (rollout) => {
      const seen = await lookIfDue(deps, service, rollout, session)
      return { rollout, seen, next: seen ? decideAll(rollout, seen) : rollout }
    }),
  )
  const moved = first.filter(({ rollout, next }) => next.history !== rollout.history)
  return Promise.all(
    first.map(async ({ rollout, seen, next }) => {
      if (!seen || moved.some((other) => other.rollout !== rollout)) return next
      const webhook = await callWebhook(deps, service, rollout, seen.progress)
      return webhook ? decideAll(rollout, { ...seen, webhook }) : next
    }),
  )
}

/** What there is to see for a rollout; undefined when nothing is due. */
async function lookIfDue(
  deps: ObserveDeps,
  service: ServiceDocument,
  rollout: Rollout,
  session: string | undefined,
): Promise<Observations | undefined> {
  if (isTerminal(rollout.phase)) return undefined
  // Who waits for a person is looked at when something is due, and costs nothing in between.
  const due = rollout.nextAttemptAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(rollout.nextAttemptAt)
  if (AWAITING_PHASES.includes(rollout.phase) && due > deps.clock.now()) return undefined
  return observe(deps, service, rollout, session)
}

function decideAll(rollout: Rollout, seen: Observations): Rollout {
  let current = rollout
  for (let transitions = 0; transitions < MOST_TRANSITIONS; transitions += 1) {
    const next = decide(current, seen)
    // What was seen says nothing about routes that are yet to be written.
    const settled = next.phase === current.phase || asksRender(rollout, next)
    current = next
    if (settled) break
  }
  return current
}
