import type { Condition } from '../model/condition.ts'
import { findCondition } from '../model/condition.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import { canonicalJson, shortId } from '../model/digest.ts'
import { type PlacementDocument, SCHEMA } from '../model/documents.ts'
import type { EventRecord } from '../model/event.ts'
import { subjectOf } from '../model/host.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { PlacementCondition, PlacementState } from '../model/placement.ts'
import { keyOfService } from './gather.ts'
import { mergeOutbox } from './merge-outbox.ts'
import { nextDue } from './next-due.ts'
import { type Finding, withFindings } from './placement-conditions.ts'
import type { PlacedService } from './situation.ts'
import { withoutUndefined } from './without-undefined.ts'

/** What a pass changes in a placement. */
export interface PlacementUpdate {
  readonly service: PlacedService
  readonly cluster: string
  /** Fields that get a new value; undefined takes one away. */
  readonly state: { readonly [Field in keyof PlacementState]?: PlacementState[Field] | undefined }
  readonly findings: readonly Finding[]
  /** Epoch milliseconds of the next pass; absent: only when called. */
  readonly again?: number | undefined
  readonly happenings: readonly Happening[]
}

/** Something to tell, besides what the conditions tell by themselves. */
export interface Happening {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly data?: Readonly<Record<string, unknown>>
  /** Tells apart happenings of one type at one render revision. */
  readonly discriminator?: string
}

/** The placement after a pass; `before` itself when nothing changed. Pure. `now` is epoch milliseconds. */
export function nextPlacement(
  before: PlacementDocument | undefined,
  update: PlacementUpdate,
  now: number,
): PlacementDocument {
  const at = timestamp(now)
  const base = before ?? emptyPlacement(update, at)
  const conditions = withFindings(base.conditions, update.findings, update.service.generation, at)
  const { dueAt, ...kept } = base
  const state = withoutUndefined({ ...kept, ...update.state, conditions }) as PlacementDocument
  const due = nextDue(dueAt, update.again, now)
  const entries = [
    ...eventsOf(base, state, update, at),
    ...(due.schedule === undefined ? [] : [retryEntry(update, due.schedule)]),
    ...(news(base) === news(state) ? [] : advanceEntries(update, state)),
  ]
  const outbox = mergeOutbox(base.outbox, entries, due.schedule === undefined ? undefined : 'reconcile')
  const next = { ...state, outbox, ...(due.dueAt === undefined ? {} : { dueAt: due.dueAt }) }
  return before && canonicalJson(next) === canonicalJson(before) ? before : { ...next, updatedAt: at }
}

function emptyPlacement(update: PlacementUpdate, at: string): PlacementDocument {
  return {
    schema: SCHEMA,
    kind: 'placement',
    service: keyOfService(update.service),
    cluster: update.cluster,
    observedGeneration: 0,
    liveRevision: 0,
    weights: {},
    rung: 'none',
    versions: {},
    conditions: [],
    objects: [],
    restores: [],
    attempts: 0,
    outbox: [],
    createdAt: at,
    updatedAt: at,
  }
}

function retryEntry({ service, cluster }: PlacementUpdate, again: number): OutboxEntry {
  const key = keyOfService(service)
  const notBefore = timestamp(again)
  return {
    id: shortId(20, key, cluster, 'reconcile', notBefore),
    kind: 'work',
    queue: liveRolloutOn(service, cluster) ? 'urgent' : 'work',
    message: { kind: 'reconcile', service: key, cluster },
    notBefore,
  }
}

/** What a live rollout may wait for: any change of it is a reason to look at the rollout. */
function news(state: PlacementState): string {
  const conditions = state.conditions.map(({ type, status, reason }) => [type, status, reason])
  const revisions = [state.liveRevision, state.weightsLive?.revision, state.preflight?.revision]
  return canonicalJson([revisions, state.versions, state.weights, state.sideRoutes, conditions])
}

function advanceEntries({ service, cluster }: PlacementUpdate, state: PlacementState): readonly OutboxEntry[] {
  if (!liveRolloutOn(service, cluster)) return []
  const key = keyOfService(service)
  const id = shortId(20, key, cluster, 'advance', service.renderRevision, news(state))
  return [{ id, kind: 'work', queue: 'urgent', message: { kind: 'advance', service: key } }]
}

const TOLD: readonly {
  readonly type: PlacementCondition
  readonly bad: Condition['status']
  readonly event: string
}[] = [
  { type: 'Conflict', bad: 'True', event: 'placement.conflict' },
  { type: 'Drifted', bad: 'True', event: 'placement.drifted' },
  { type: 'Held', bad: 'True', event: 'placement.held' },
  { type: 'Frozen', bad: 'True', event: 'placement.frozen' },
  { type: 'Reachable', bad: 'False', event: 'placement.unreachable' },
  { type: 'ScaledDown', bad: 'False', event: 'placement.left-running' },
]

function eventsOf(
  before: PlacementState,
  after: PlacementState,
  update: PlacementUpdate,
  at: string,
): readonly OutboxEntry[] {
  const told = TOLD.flatMap(({ type, bad, event }): readonly Happening[] => {
    const [was, is] = [findCondition(before.conditions, type), findCondition(after.conditions, type)]
    if (is?.status !== bad || (was?.status === bad && was.reason === is.reason)) return []
    return [
      { type: event, reason: is.reason, message: is.message, discriminator: `${is.reason} ${is.lastTransitionTime}` },
    ]
  })
  return [...update.happenings, ...told].map((happening) => eventEntry(update, happening, at))
}

function eventEntry({ service, cluster }: PlacementUpdate, happening: Happening, time: string): OutboxEntry {
  const key = keyOfService(service)
  const { type, reason, message, data, discriminator } = happening
  const id = shortId(20, key, cluster, service.renderRevision, type, discriminator)
  const event: EventRecord = {
    id,
    type,
    time,
    subject: subjectOf(key),
    actor: MESHWRIGHT,
    reason,
    message,
    data: { cluster, renderRevision: service.renderRevision, ...data },
  }
  return { id, kind: 'event', event }
}
