import type { DeliveryState } from '../../model/certificate.ts'
import { canonicalJson, shortId } from '../../model/digest.ts'
import { type DeliveryDocument, SCHEMA } from '../../model/documents.ts'
import type { EventRecord } from '../../model/event.ts'
import { MESHWRIGHT } from '../../model/identity.ts'
import { timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { Stored } from '../../ports/store.ts'
import { recentRestores } from '../drift.ts'
import { mergeOutbox } from '../merge-outbox.ts'
import { nextDue } from '../next-due.ts'
import { withoutUndefined } from '../without-undefined.ts'
import type { DeliveryDeps } from './delivery-deps.ts'
import type { DeliveryPass, Told } from './delivery-pass.ts'
import type { DeliveryRequest } from './delivery-scene.ts'

/**
 * Writes what a pass found, with what must follow in the outbox: events, the next pass, and a look of the rotation where it
 * may have waited for this. Nothing new writes nothing. False: another writer was first. Throws PortError.
 */
export async function recordDelivery(
  deps: Pick<DeliveryDeps, 'store' | 'clock'>,
  request: DeliveryRequest,
  stored: Stored<DeliveryDocument> | undefined,
  pass: DeliveryPass,
): Promise<boolean> {
  const next = nextDelivery(request, stored?.value, pass, deps.clock.now())
  try {
    if (!stored) await deps.store.create(next)
    else if (next !== stored.value) await deps.store.replace(stored, next)
    return true
  } catch (error) {
    if (isPortError(error, 'conflict', 'precondition')) return false
    throw error
  }
}

/** The delivery after a pass; `before` itself when nothing changed. Pure. `now` is epoch milliseconds. */
export function nextDelivery(
  request: DeliveryRequest,
  before: DeliveryDocument | undefined,
  pass: DeliveryPass,
  now: number,
): DeliveryDocument {
  const at = timestamp(now)
  const base = before ?? empty(request, at)
  const { dueAt, ...kept } = base
  const state = withoutUndefined({ ...kept, ...stateAfter(base, pass, now) }) as DeliveryDocument
  const due = nextDue(dueAt, pass.again, now)
  const isNews = !before || news(before) !== news(state)
  const added = [
    ...(pass.told ?? []).map((told) => eventEntry(state, told, at)),
    ...(isNews ? [...changeEvent(before, state, at), rotateEntry(state, at)] : []),
    ...(due.schedule === undefined ? [] : [nextPassEntry(state, due.schedule)]),
  ]
  const outbox = mergeOutbox(base.outbox, added, due.schedule === undefined ? undefined : 'deliver')
  const next = { ...state, outbox, ...(due.dueAt === undefined ? {} : { dueAt: due.dueAt }) }
  return before && canonicalJson(next) === canonicalJson(before) ? before : { ...next, updatedAt: at }
}

function stateAfter(before: DeliveryDocument, pass: DeliveryPass, now: number) {
  const at = timestamp(now)
  const { state, reason, message } = pass
  const written = pass.written ?? before.written
  const heldSerial = pass.heldSerial === undefined ? before.heldSerial : (pass.heldSerial ?? undefined)
  const isRewritten = canonicalJson(written) !== canonicalJson(before.written)
  const isThere = written !== undefined && heldSerial === written.serial && before.heldSerial !== heldSerial
  const restores = recentRestores({ restores: before.restores ?? [] }, now)
  return {
    state,
    reason,
    message,
    written,
    writtenAt: isRewritten || isThere ? at : before.writtenAt,
    heldSerial,
    shownSerial: pass.shownSerial === undefined ? before.shownSerial : (pass.shownSerial ?? undefined),
    deliveredAt: state !== 'delivered' ? undefined : isRewritten ? at : (before.deliveredAt ?? at),
    objects: pass.objects ?? before.objects,
    restores: pass.restored ? [...restores, at] : restores.length > 0 ? restores : undefined,
    attempts: state === 'failed' ? before.attempts + 1 : 0,
  }
}

function empty({ certificate, cluster }: DeliveryRequest, at: string): DeliveryDocument {
  const words = { state: 'waiting', reason: 'Begun', message: '' } as const
  const base = { schema: SCHEMA, kind: 'delivery', outbox: [], createdAt: at, updatedAt: at } as const
  return { ...base, certificate, cluster, ...words, objects: [], attempts: 0 }
}

/** What a rotation may wait for. */
function news({ state, reason, written, heldSerial, shownSerial, objects }: DeliveryState): string {
  return canonicalJson([state, reason, written, heldSerial, shownSerial, state === 'leaving' && objects.length === 0])
}

function rotateEntry({ certificate, cluster, ...state }: DeliveryDocument, at: string): OutboxEntry {
  const id = shortId(20, certificate, cluster, 'rotate', news({ certificate, cluster, ...state }), at)
  return { id, kind: 'work', queue: 'lifecycle', message: { kind: 'rotate', certificate } }
}

const EVENTS: Readonly<Partial<Record<DeliveryState['state'], string>>> = {
  held: 'certificate.delivery-held',
  failed: 'certificate.delivery-failed',
}

/** A hold or a failure is told when it begins, and when its reason changes. */
function changeEvent(
  before: DeliveryDocument | undefined,
  after: DeliveryDocument,
  at: string,
): readonly OutboxEntry[] {
  const type = EVENTS[after.state]
  if (type === undefined || (before?.state === after.state && before.reason === after.reason)) return []
  return [eventEntry(after, { type, reason: after.reason, message: after.message }, at)]
}

/** The entry of an event about a delivery. Unique by its time: a delivery is written once in a millisecond. */
export function eventEntry(
  { certificate, cluster, written, heldSerial }: DeliveryDocument,
  { type, reason, message }: Told,
  time: string,
): OutboxEntry {
  const id = shortId(20, certificate, cluster, type, reason, time)
  const event: EventRecord = {
    id,
    type,
    time,
    subject: `certificates/${certificate}`,
    actor: MESHWRIGHT,
    reason,
    message,
    data: { cluster, ...(written ? { version: written.version } : {}), ...(heldSerial ? { serial: heldSerial } : {}) },
  }
  return { id, kind: 'event', event }
}

function nextPassEntry({ certificate, cluster }: DeliveryDocument, again: number): OutboxEntry {
  const notBefore = timestamp(again)
  const id = shortId(20, certificate, cluster, 'deliver', notBefore)
  return { id, kind: 'work', queue: 'work', message: { kind: 'deliver', certificate, cluster }, notBefore }
}
