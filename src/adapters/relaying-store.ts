import { isDeepStrictEqual } from 'node:util'
import { type AnyDocument, type DocumentKind, keyOf, type RolloutDocument } from '../model/documents.ts'
import type { EventRecord } from '../model/event.ts'
import { type FollowUp, followUpsOf } from '../model/follow-ups.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { Clock } from '../ports/clock.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store, Stored } from '../ports/store.ts'
import type { WorkQueue } from '../ports/work-queue.ts'

/** A store that keeps outboxes but does not send them on. */
export interface PlainStore extends Omit<Store, 'create' | 'replace' | 'relay' | 'remove' | 'sendOn'> {
  create<D extends AnyDocument>(document: D): Promise<Stored<D>>
  replace<D extends AnyDocument>(stored: Stored<D>, next: D): Promise<Stored<D>>
  remove(stored: Stored<AnyDocument>): Promise<void>
}

const writerPatienceMs = 500
const removalTries = 4
const longestDelayMs = 7 * 24 * 3_600_000

interface Relay {
  readonly store: PlainStore
  readonly queue: WorkQueue
  readonly clock: Clock
  /** Told of each event once, when it is kept. */
  readonly told: (event: EventRecord) => void
}

/** Who no longer waits. What is on its way then is not followed by anything more. */
interface Waiting {
  over: boolean
}

/**
 * A store whose writers send on the outbox of what they wrote: events and audit records to their logs, work to the queues,
 * ended rollouts to documents of their own. Sending comes first and taking out of the outbox second, so a crash between the
 * two sends twice; entries have deterministic ids, so twice is once. What is left over, the feed or the sweep sends.
 */
export function relayingStore(
  store: PlainStore,
  queue: WorkQueue,
  clock: Clock,
  told: (event: EventRecord) => void = () => undefined,
): Store {
  const relay: Relay = { store, queue, clock, told }
  return {
    ...store,
    async create(document, outbox = 'sent') {
      const written = await store.create(document)
      return outbox === 'left' ? written : relayAfterWrite(relay, written)
    },
    async replace(before, next, outbox = 'sent') {
      const written = await store.replace(before, next)
      return outbox === 'left' ? written : relayAfterWrite(relay, written)
    },
    async sendOn(stored, done) {
      await sendOn(relay, stored, { over: false }, done).catch(() => undefined)
    },
    remove: (before, last = []) => removeAfterRelay(relay, before, last),
    relay: (kind, key) => relayAll(relay, kind, key),
    appendEvent: (event) => keep(relay, event),
  }
}

/**
 * What is to be kept is sent, however long that takes; when something does not go, nothing is removed. Work has nothing
 * left to act on.
 */
async function removeAfterRelay(
  relay: Relay,
  before: Stored<AnyDocument>,
  last: readonly OutboxEntry[],
): Promise<void> {
  const kept = [...before.value.outbox, ...last].filter(({ kind }) => kind !== 'work')
  await Promise.all(kept.map((entry) => sendEntry(relay, entry)))
  await relay.store.remove(before)
}

const NOTHING: ReadonlySet<string> = new Set()
/** Given as the reason, for without one each write would make an exception with a stack. */
const OVER = new Error('it is over')

/** The written document, without what could be sent on in time. Never throws: the write has happened. */
async function relayAfterWrite<D extends AnyDocument>(relay: Relay, written: Stored<D>): Promise<Stored<D>> {
  if (written.value.outbox.length === 0) return written
  const waiting: Waiting = { over: false }
  const over = new AbortController()
  const patience = relay.clock.sleep(writerPatienceMs, over.signal).then(() => written)
  const work = sendOn(relay, written, waiting, NOTHING).then(({ stored }) => stored)
  try {
    return await Promise.race([work, patience])
  } catch {
    return written
  } finally {
    waiting.over = true
    over.abort(OVER)
  }
}

async function relayAll(relay: Relay, kind: DocumentKind, key: string): Promise<void> {
  const stored = await relay.store.read(kind, key)
  if (stored === undefined || stored.value.outbox.length === 0) return
  const { failure } = await sendOn<AnyDocument>(relay, stored, { over: false }, NOTHING)
  if (failure !== undefined) throw failure
}

/** Sends every entry that is not done, then takes out those. `failure` is the first that did not go. */
async function sendOn<D extends AnyDocument>(
  relay: Relay,
  stored: Stored<D>,
  waiting: Waiting,
  done: ReadonlySet<string>,
): Promise<{ stored: Stored<D>; failure?: unknown }> {
  const entries = stored.value.outbox
  const results = await Promise.allSettled(
    entries.map(async (entry) => (done.has(entry.id) ? undefined : sendEntry(relay, entry, stored.session))),
  )
  const sent = new Set(entries.filter((_, index) => results[index]?.status === 'fulfilled').map(({ id }) => id))
  const failed = results.find((result) => result.status === 'rejected')
  const failure = failed === undefined ? {} : { failure: failed.reason }
  if (sent.size === 0 || waiting.over) return { stored, ...failure }
  return { stored: await takeOut(relay, stored, sent, waiting), ...failure }
}

async function sendEntry(relay: Relay, entry: OutboxEntry, session?: string): Promise<void> {
  const { store, queue, clock } = relay
  switch (entry.kind) {
    case 'event':
      await keep(relay, entry.event)
      for (const followUp of followUpsOf(entry.event)) await follow({ store, queue }, followUp)
      return
    case 'audit':
      return store.appendAudit(entry.record)
    case 'work': {
      const message = session === undefined ? entry.message : { ...entry.message, session }
      const waitMs = entry.notBefore === undefined ? 0 : Date.parse(entry.notBefore) - clock.now()
      return queue.send(entry.queue, message, Math.min(Math.max(waitMs, 0), longestDelayMs))
    }
    case 'archive':
      await createOnce(store, entry.value as RolloutDocument)
      return
  }
}

async function keep({ store, told }: Relay, event: EventRecord): Promise<boolean> {
  const isNew = await store.appendEvent(event)
  if (isNew) told(event)
  return isNew
}

/** Sent also when the document was there: who made it may not have come to the message. */
async function follow({ store, queue }: Pick<Relay, 'store' | 'queue'>, followUp: FollowUp): Promise<void> {
  const made = await createOnce(store, followUp.document)
  await queue.send(followUp.queue, made?.session ? { ...followUp.message, session: made.session } : followUp.message)
}

/** Undefined when it was there already. */
async function createOnce<D extends AnyDocument>(store: PlainStore, document: D): Promise<Stored<D> | undefined> {
  try {
    return await store.create(document)
  } catch (error) {
    if (!isPortError(error, 'conflict')) throw error
    return undefined
  }
}

/**
 * One conditional write that removes just the sent entries; when another writer was first, the same on what is there
 * now. The value and tag that come back always belong together: after a foreign write they are the ones that the caller
 * wrote, so that its next write fails instead of undoing the other's.
 */
async function takeOut<D extends AnyDocument>(
  { store }: Relay,
  written: Stored<D>,
  sent: ReadonlySet<string>,
  waiting: Waiting,
): Promise<Stored<D>> {
  let current: Stored<D> | undefined = written
  for (let tries = 0; tries < removalTries && !waiting.over; tries += 1) {
    const left = withoutEntries(current.value, sent)
    if (left.outbox.length === current.value.outbox.length) return sameButOutbox(current, written) ? current : written
    try {
      const after: Stored<D> = await store.replace(current, left)
      return sameButOutbox(current, written) ? after : written
    } catch (error) {
      if (!isPortError(error, 'precondition', 'unavailable', 'throttled')) throw error
      if (error.kind !== 'precondition') return written
    }
    current = (await store.read(written.value.kind, keyOf(written.value), written.session)) as Stored<D> | undefined
    if (current === undefined) return written
  }
  return written
}

function withoutEntries<D extends AnyDocument>(document: D, ids: ReadonlySet<string>): D {
  return { ...document, outbox: document.outbox.filter((entry) => !ids.has(entry.id)) }
}

function sameButOutbox(one: Stored<AnyDocument>, other: Stored<AnyDocument>): boolean {
  if (one === other) return true
  return isDeepStrictEqual({ ...one.value, outbox: [] }, { ...other.value, outbox: [] })
}
