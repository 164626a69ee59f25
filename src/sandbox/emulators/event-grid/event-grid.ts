import type { EmulatorContext, Table } from '../emulator.ts'

/** An event of the Event Grid schema, as it stands in the array that a webhook gets. */
export interface GridEvent {
  readonly id: string
  /** ARM id of what it comes from. */
  readonly topic: string
  readonly subject: string
  readonly eventType: string
  /** RFC 3339. */
  readonly eventTime: string
  readonly data: object
  readonly dataVersion: string
  readonly metadataVersion: string
}

/** Posts a body to a webhook. Throws where no answer comes. */
export type PostEvents = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<{ readonly status: number; readonly body: string }>

/** Event Grid's side of webhooks: a handshake first, then events in batches, again until they are taken or too old. */
export interface EventGridEmulator {
  /**
   * Asks the webhook whether it wants events. Throws when it does not prove so; from then on events are kept for it.
   * `properties` are headers that go with every delivery, such as a key.
   */
  subscribe(name: string, url: string, properties?: Readonly<Record<string, string>>): Promise<void>
  unsubscribe(name: string): void
  /** For every subscription that there is now. Only `deliver` sends. */
  publish(event: Omit<GridEvent, 'id' | 'metadataVersion'>): void
  /** Sends what is due. */
  deliver(): Promise<void>
  /** How many events wait. */
  waiting(): number
}

interface Subscription {
  readonly name: string
  readonly url: string
  readonly properties: Readonly<Record<string, string>>
}

interface Waiting {
  readonly subscription: string
  readonly event: GridEvent
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
  readonly dueAt: number
  readonly attempts: number
}

/** Waits between attempts; then every twelve hours. learn.microsoft.com/azure/event-grid/delivery-and-retry */
const WAITS_MS = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600].map((seconds) => seconds * 1000)
const LAST_WAIT_MS = 12 * 3_600_000
const LIFETIME_MS = 24 * 3_600_000
const MOST_ATTEMPTS = 30
const MOST_IN_A_BATCH = 10
/** Answers after which an event is not sent again. */
const FINAL = [400, 403, 413]

export function eventGridEmulator(context: EmulatorContext, post: PostEvents): EventGridEmulator {
  const subscriptions = context.storage.table('event-grid-subscriptions')
  const queue = context.storage.table('event-grid-waiting')
  const uuid = (): string => makeUuid(context)
  return {
    async subscribe(name, url, properties = {}) {
      const subscription: Subscription = { name, url, properties }
      await shakeHands(context, post, subscription)
      subscriptions.put(name, subscription)
    },
    unsubscribe(name) {
      subscriptions.delete(name)
    },
    publish(event) {
      const publishedAt = context.now()
      for (const [subscription] of subscriptions.entries()) {
        const id = uuid()
        const waiting: Waiting = {
          subscription,
          event: { ...event, id, metadataVersion: '1' },
          publishedAt,
          dueAt: publishedAt,
          attempts: 0,
        }
        queue.put(`${publishedAt} ${id}`, waiting)
      }
    },
    async deliver() {
      for (const [, subscription] of [...subscriptions.entries()])
        await deliverTo(context, post, queue, subscription as Subscription)
    },
    waiting: () => [...queue.entries()].length,
  }
}

/** The synchronous handshake: the webhook gives back the code that it was sent. */
async function shakeHands(context: EmulatorContext, post: PostEvents, to: Subscription): Promise<void> {
  const validationCode = makeUuid(context)
  const event: GridEvent = {
    id: makeUuid(context),
    topic: '',
    subject: '',
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    eventTime: new Date(context.now()).toISOString(),
    data: { validationCode },
    dataVersion: '2',
    metadataVersion: '1',
  }
  const answer = await post(to.url, headersOf('SubscriptionValidation', to, 0), JSON.stringify([event]))
  if (answer.status !== 200 || validationResponse(answer.body) !== validationCode)
    throw new Error(`the webhook of subscription ${to.name} did not prove that it wants events (${answer.status})`)
}

async function deliverTo(context: EmulatorContext, post: PostEvents, queue: Table, to: Subscription): Promise<void> {
  const now = context.now()
  const due = [...queue.entries()]
    .map(([key, waiting]) => ({ key, waiting: waiting as Waiting }))
    .filter(({ waiting }) => waiting.subscription === to.name && waiting.dueAt <= now)
  for (let from = 0; from < due.length; from += MOST_IN_A_BATCH) {
    const batch = due.slice(from, from + MOST_IN_A_BATCH)
    const body = JSON.stringify(batch.map(({ waiting }) => waiting.event))
    const attempts = Math.max(...batch.map(({ waiting }) => waiting.attempts))
    const status = await post(to.url, headersOf('Notification', to, attempts), body).then(
      (answer) => answer.status,
      () => 0,
    )
    for (const { key, waiting } of batch) settle(queue, key, waiting, status, now)
  }
}

function settle(queue: Table, key: string, waiting: Waiting, status: number, now: number): void {
  const attempts = waiting.attempts + 1
  const dueAt = now + (WAITS_MS[waiting.attempts] ?? LAST_WAIT_MS)
  const over = attempts >= MOST_ATTEMPTS || dueAt > waiting.publishedAt + LIFETIME_MS
  const taken = status >= 200 && status <= 204
  if (taken || over || FINAL.includes(status)) queue.delete(key)
  else queue.put(key, { ...waiting, attempts, dueAt })
}

function headersOf(
  type: 'SubscriptionValidation' | 'Notification',
  { name, properties }: Subscription,
  attempts: number,
): Record<string, string> {
  return {
    ...properties,
    'content-type': 'application/json; charset=utf-8',
    'aeg-event-type': type,
    'aeg-subscription-name': name.toUpperCase(),
    'aeg-delivery-count': String(attempts),
    'aeg-data-version': '1',
    'aeg-metadata-version': '1',
  }
}

function validationResponse(body: string): unknown {
  try {
    return (JSON.parse(body) as { validationResponse?: unknown } | null)?.validationResponse
  } catch {
    return undefined
  }
}

function makeUuid({ random }: EmulatorContext): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}
