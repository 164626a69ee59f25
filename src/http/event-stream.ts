import type { ArrivedEvent } from '../model/event.ts'
import type { Clock } from '../ports/clock.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Page, Store } from '../ports/store.ts'
import { viewEvent } from './views/event-view.ts'

const PAGE = 100
const LOOK_EVERY_MS = 1000
const HEARTBEAT_MS = 15_000
/** Callers come back with Last-Event-ID: so a stream does not outlive its token by much, nor a deploy. */
const LONGEST_MS = 30 * 60_000
/** Events of an end may arrive a little after it. */
const QUIET_AFTER_END_MS = 3000

export interface EventStream {
  readonly store: Store
  readonly clock: Clock
  readonly subject?: string
  readonly signal?: AbortSignal
  /** Is what the events are about over? Then the stream ends when nothing more arrives. */
  readonly isOver?: () => Promise<boolean>
}

/**
 * Events as server-sent events (WHATWG HTML §9.2) in the order of arrival: `id` is the cursor, `event` the type, `data` the
 * CloudEvent. `first` was read already, so that a broken cursor was refused before the answer began. While the store does
 * not answer the stream goes on and tries again.
 */
export async function* eventStream(
  stream: EventStream,
  first: Page<ArrivedEvent>,
  after: string | undefined,
): AsyncGenerator<string> {
  const { clock, signal } = stream
  const end = clock.now() + LONGEST_MS
  let [cursor, page] = [after, first]
  let lastSent = clock.now()
  /** Since when it is over and nothing has arrived. */
  let quietSince: number | undefined
  yield `retry: ${LOOK_EVERY_MS}\n\n`
  while (signal?.aborted !== true && clock.now() < end) {
    for (const event of page.value) {
      yield formatEvent(event)
      cursor = event.cursor
      lastSent = clock.now()
      quietSince = undefined
    }
    if (page.next === undefined) {
      if (quietSince === undefined && (await isOver(stream))) quietSince = clock.now()
      if (quietSince !== undefined && clock.now() - quietSince >= QUIET_AFTER_END_MS) return
      if (clock.now() - lastSent >= HEARTBEAT_MS) {
        yield ':\n\n'
        lastSent = clock.now()
      }
      if (!(await slept(clock, signal))) return
    }
    page = await readPage(stream, cursor)
  }
}

export function readEvents(
  { store, subject }: Pick<EventStream, 'store' | 'subject'>,
  after: string | undefined,
  limit = PAGE,
): Promise<Page<ArrivedEvent>> {
  const place = after === undefined ? {} : { after }
  return store.events({ limit, ...place, ...(subject === undefined ? {} : { subject }) })
}

async function readPage(stream: EventStream, cursor: string | undefined): Promise<Page<ArrivedEvent>> {
  try {
    return await readEvents(stream, cursor)
  } catch (error) {
    if (isPortError(error, 'unavailable', 'throttled')) return { value: [] }
    throw error
  }
}

async function isOver(stream: EventStream): Promise<boolean> {
  try {
    return (await stream.isOver?.()) === true
  } catch (error) {
    if (isPortError(error)) return false
    throw error
  }
}

/** False when the caller has gone. */
async function slept(clock: Clock, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await clock.sleep(LOOK_EVERY_MS, signal)
    return true
  } catch {
    return false
  }
}

/** JSON has no line breaks of its own, so the data is one line. */
function formatEvent(event: ArrivedEvent): string {
  return `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(viewEvent(event))}\n\n`
}
