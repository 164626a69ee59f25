import { certificateEvent } from '../../model/certificate-event.ts'
import { canonicalJson, shortId } from '../../model/digest.ts'
import type { MeshCaDocument, TrustDocument } from '../../model/documents.ts'
import { MESHWRIGHT } from '../../model/identity.ts'
import { timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import { describeWorkload, type RestartsState, type WorkloadUnderWay } from '../../model/restarts.ts'
import { workloadKey } from './workload.ts'

/** What a pass found and did, to be written down. */
export interface RestartNews {
  readonly state: RestartsState
  readonly through: readonly WorkloadUnderWay[]
  readonly stuck?: WorkloadUnderWay
}

/**
 * The document with the state of restarts, and what people and the rotation are told of it; `before` itself when there is
 * nothing new. `now` is epoch milliseconds. Pure.
 */
export function withRestartsRecorded(
  before: TrustDocument,
  ca: MeshCaDocument,
  { state, through, stuck }: RestartNews,
  now: number,
): TrustDocument {
  const toldOf = toldBefore(before.restarts, state)
  const told = toldAfter(toldOf, state)
  const next: RestartsState = told === undefined ? state : { ...state, told }
  if (canonicalJson(before.restarts ?? null) === canonicalJson(next)) return before
  const at = timestamp(now)
  const entries = [
    ...through.map((entry) => restarted(ca, entry, at)),
    ...(told !== toldOf && told !== undefined ? [ofAll(ca, next, told, at)] : []),
    ...(stuck && before.restarts?.stuck !== next.stuck ? [held(ca, stuck, at)] : []),
    ...(wasRefused(before.restarts, state) ? [] : refusals(ca, next, at)),
    ...(progressOf(before.restarts) === progressOf(next) ? [] : [rotateWork(ca.name, next, at)]),
  ]
  return { ...before, restarts: next, outbox: [...before.outbox, ...entries], updatedAt: at }
}

/** Another intent begins anew. */
function toldBefore(before: RestartsState | undefined, { intent }: RestartsState): RestartsState['told'] {
  return before && canonicalJson(before.intent) === canonicalJson(intent) ? before.told : undefined
}

/** People know that the cluster refuses restarts for this intent. */
function wasRefused(before: RestartsState | undefined, { intent }: RestartsState): boolean {
  return before?.refused !== undefined && canonicalJson(before.intent) === canonicalJson(intent)
}

function toldAfter(told: RestartsState['told'], { underWay, left }: RestartsState): RestartsState['told'] {
  if (told === undefined) return underWay.length > 0 ? 'begun' : undefined
  return underWay.length === 0 && left === 0 ? 'over' : told
}

/** What the rotation shows. */
function progressOf(state: RestartsState | undefined): string {
  if (!state) return ''
  const { underWay, told: _told, refused: _refused, ...rest } = state
  return canonicalJson([underWay.map(workloadKey), rest])
}

function ofAll(ca: MeshCaDocument, state: RestartsState, told: 'begun' | 'over', at: string): OutboxEntry {
  const { done, left, underWay, cannot } = state
  const all = done + left + underWay.length
  const rest = cannot.length === 0 ? '' : ` Left to you: ${cannot.join('; ')}.`
  const message =
    told === 'begun'
      ? `Workloads with a proxy are restarted, so that the rotation need not wait for them: ${all - done} of ${all}.${rest}`
      : `All ${all} workloads that can be restarted have been.${rest}`
  const data = { done, left: left + underWay.length, cannot }
  const type = told === 'begun' ? 'certificate.restarting' : 'certificate.restarted'
  return event(ca, type, { unique: '', reason: told === 'begun' ? 'Restarting' : 'Restarted', message, data }, at)
}

function restarted(ca: MeshCaDocument, entry: WorkloadUnderWay, at: string): OutboxEntry {
  const message = `${describeWorkload(entry)} was restarted, and is ready.`
  const happening = { unique: `${entry.uid}.${entry.since}`, reason: 'Restarted', message, data: dataOf(entry) }
  return event(ca, 'certificate.workload-restarted', happening, at)
}

function held(ca: MeshCaDocument, entry: WorkloadUnderWay, at: string): OutboxEntry {
  const message = `${describeWorkload(entry)} is not ready after its restart. No other is restarted until it is: see what holds its Pods.`
  const unique = `RestartStuck.${entry.uid}.${entry.since}`
  return event(ca, 'certificate.held', { unique, reason: 'RestartStuck', message, data: dataOf(entry) }, at)
}

function refusals(ca: MeshCaDocument, { refused: [first] = [] }: RestartsState, at: string): readonly OutboxEntry[] {
  if (!first) return []
  const { kind, namespace, name, uid, reason } = first
  const message = `The cluster refuses to restart ${describeWorkload(first)}: ${first.message} It is left to you and others go on; in five minutes it is asked again.`
  const data = { workload: { kind, namespace, name } }
  return [event(ca, 'certificate.held', { unique: `RestartRefused.${uid}`, reason, message, data }, at)]
}

function dataOf({ kind, namespace, name, since }: WorkloadUnderWay) {
  return { workload: { kind, namespace, name }, since }
}

function event(
  { name, rotation, spec }: MeshCaDocument,
  type: string,
  { unique, data, ...words }: { unique: string; reason: string; message: string; data: Record<string, unknown> },
  time: string,
): OutboxEntry {
  const { id = '', direction = 'on', phase = 'requested' } = rotation ?? {}
  const all = { rotation: id, cluster: spec.cluster, phase, direction, ...data }
  const happening = [id, direction, phase, ...(unique === '' ? [] : [unique])].join('.')
  return certificateEvent(name, type, {
    ...words,
    id: happening,
    time,
    actor: rotation?.actor ?? MESHWRIGHT,
    data: all,
  })
}

function rotateWork(ca: string, state: RestartsState, at: string): OutboxEntry {
  const id = shortId(20, ca, 'restarts', progressOf(state), at)
  return { id, kind: 'work', queue: 'lifecycle', message: { kind: 'rotate-ca', ca } }
}
