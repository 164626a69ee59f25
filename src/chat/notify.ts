import type { NotificationDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import type { NotificationSend } from '../model/notification.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Messenger, OutgoingMessage } from '../ports/messenger.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import { slackMessage } from './cards/slack-message.ts'
import { teamsMessage } from './cards/teams-card.ts'
import { chooseChannels } from './choose-channels.ts'
import { readSubject, type Subject } from './notification-subject.ts'

export interface NotifyDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly messenger: Messenger
  /** The address of a Teams Workflows webhook, by the name of the vault's secret that holds it. Throws PortError. */
  readonly webhook: (secret: string) => Promise<string>
  /** Public address of this Meshwright, without a slash at its end. */
  readonly publicUrl?: string
}

/** A worker has a send in hand for this long; after it, another takes it for dead. */
const IN_HAND_MS = 2 * 60_000
/** No replica is behind for longer. */
const BEHIND_MS = 30_000
const FIRST_RETRY_MS = 10_000
/** A wrong channel or address is not mended within seconds. */
const FIRST_RETRY_OF_WRONG_MS = 5 * 60_000
const LONGEST_RETRY_MS = 60 * 60_000
const LEVELS = { sent: 'info', skipped: 'info', waiting: 'warn', 'given-up': 'error' } as const

/**
 * Brings a notification to the channels that it still has to reach and whose time has come: plans them at the first call,
 * takes in hand (one write) what is due, sends each, and records each (one write) at once, so that none holds another up.
 * What fails is due again later, and given up after a day. At least once a channel: only a worker that dies between
 * sending and recording makes a double, which carries the same mark. Throws PortError when the store does not answer.
 */
export async function sendNotification(deps: NotifyDeps, name: string, session?: string): Promise<Result<unknown>> {
  const stored = await deps.store.read('notification', name, session)
  if (stored?.value.dueAt === undefined) return succeed(undefined)
  const subject = await readSubject(deps.store, name, stored.value.event, deps.publicUrl)
  const taken = await takeInHand(deps, name, subject, session)
  if (!taken.ok) return taken
  const recorded = await Promise.allSettled(taken.value.map((send) => sendOne(deps, name, subject, send)))
  const thrown = recorded.find((result) => result.status === 'rejected')
  if (thrown) throw thrown.reason
  return recorded.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).find(({ ok }) => !ok) ?? taken
}

/** Who it belongs to was written before the event was; a replica of the store that is behind may not show it yet. */
function mayBeBehind({ event, sends }: NotificationDocument, subject: Subject, now: number): boolean {
  return sends === undefined && !subject.isFound && now - Date.parse(event.time) < BEHIND_MS
}

/** Plans what is not planned and marks what is due as in hand. Gives those back. */
async function takeInHand(
  { store, clock }: NotifyDeps,
  name: string,
  subject: Subject,
  session: string | undefined,
): Promise<Result<readonly NotificationSend[]>> {
  type Taken = readonly NotificationSend[]
  const changed = await changeDocument(
    store,
    'notification',
    name,
    (stored): Result<Change<NotificationDocument, Taken>> => {
      if (stored === undefined) return succeed({ kind: 'leave', value: [] })
      const now = clock.now()
      // The time at which it is due stands: it is looked at again then.
      if (mayBeBehind(stored.value, subject, now)) return succeed({ kind: 'leave', value: [] })
      const chosen = () => subject.teams.flatMap((team) => chooseChannels(stored.value.event, team, now))
      const planned = stored.value.sends ?? chosen()
      const overtaken = (send: NotificationSend) => subject.overtaken(teamOf(subject, send)?.chat?.notices)
      const sends = planned.map((send) => (isDue(send, now) ? taken(send, overtaken(send), now) : send))
      const value = sends.filter((send, index) => send !== planned[index] && send.state === 'waiting')
      const isSame = stored.value.sends !== undefined && sends.every((send, index) => send === planned[index])
      if (isSame) return succeed({ kind: 'leave', value })
      return succeed({ kind: 'write', document: withSends(stored.value, sends, now), value })
    },
    session,
  )
  return changed.ok ? succeed(changed.value.value) : changed
}

/** The team whose channel it is, as it is now. */
function teamOf({ teams }: Subject, { channel }: NotificationSend): Subject['teams'][number] | undefined {
  return teams.find(({ name }) => channel === `slack/${name}` || channel === `teams/${name}`)
}

function isDue({ state, notBefore }: NotificationSend, now: number): boolean {
  return state === 'waiting' && (notBefore === undefined || Date.parse(notBefore) <= now)
}

function taken(send: NotificationSend, overtaken: string | undefined, now: number): NotificationSend {
  if (overtaken !== undefined) return ended(send, 'skipped', overtaken)
  return { ...send, attempts: send.attempts + 1, notBefore: timestamp(now + IN_HAND_MS) }
}

function ended(send: NotificationSend, state: 'skipped' | 'given-up', message: string): NotificationSend {
  const { notBefore: _done, ...rest } = send
  return { ...rest, state, message }
}

/** Sends to one channel and records how that went. */
async function sendOne(
  deps: NotifyDeps,
  name: string,
  subject: Subject,
  send: NotificationSend,
): Promise<Result<unknown>> {
  const outcome = await trySend(deps, subject, send).catch((error: unknown) => failedSend(deps, send, error))
  const { channel, state, attempts, message } = outcome
  const fields = { notification: name, channel, attempts, ...(message === undefined ? {} : { message }) }
  deps.logger.log(LEVELS[state], `notification.${state}`, fields)
  return changeDocument(deps.store, 'notification', name, (stored): Result<Change<NotificationDocument, undefined>> => {
    const known = stored?.value.sends?.find((other) => other.channel === channel)
    // Another took it for dead and has it in hand: only that it was sent is worth telling.
    const isOurs = known?.state === 'waiting' && (known.attempts === attempts || state === 'sent')
    if (stored === undefined || !isOurs) return succeed({ kind: 'leave', value: undefined })
    const sends = (stored.value.sends ?? []).map((other) => (other === known ? outcome : other))
    return succeed({
      kind: 'write',
      document: withSends(stored.value, sends, deps.clock.now()),
      value: undefined,
    })
  })
}

async function trySend(deps: NotifyDeps, subject: Subject, send: NotificationSend): Promise<NotificationSend> {
  const message = await messageFor(deps, subject, send)
  if (message === undefined) return ended(send, 'skipped', 'the team has no such channel any more')
  await deps.messenger.send(message)
  const { notBefore: _done, message: _trouble, ...rest } = send
  return { ...rest, state: 'sent', sentAt: timestamp(deps.clock.now()) }
}

/** The message, with the channel that the team names now: a wrong one may have been mended. */
async function messageFor(
  { webhook }: NotifyDeps,
  subject: Subject,
  send: NotificationSend,
): Promise<OutgoingMessage | undefined> {
  const { story } = subject
  const { channel: slackChannel, teamsSecret } = teamOf(subject, send)?.chat ?? {}
  if (send.channel.startsWith('teams/')) {
    if (teamsSecret === undefined) return undefined
    return { kind: 'teams', url: (await webhook(teamsSecret)).trim(), body: teamsMessage(story()) }
  }
  if (slackChannel === undefined) return undefined
  const told = story()
  return { kind: 'slack', channel: slackChannel, ...slackMessage(told), notification: told.notification }
}

/** Waits as long as the channel asks, and longer from try to try, with jitter. */
function failedSend(deps: NotifyDeps, send: NotificationSend, error: unknown): NotificationSend {
  const known = isPortError(error) ? error : undefined
  if (known === undefined) deps.logger.log('error', 'notification.defect', { channel: send.channel, error })
  const message = known?.message ?? 'the message could not be made'
  const isPassing = known?.kind === 'throttled' || known?.kind === 'unavailable'
  const first = isPassing ? FIRST_RETRY_MS : FIRST_RETRY_OF_WRONG_MS
  const backoff = Math.min(first * 2 ** (send.attempts - 1), LONGEST_RETRY_MS) * (0.5 + deps.random.next() / 2)
  const next = deps.clock.now() + Math.max(known?.retryAfterMs ?? 0, backoff)
  if (next > Date.parse(send.giveUpAt)) return ended(send, 'given-up', message)
  return { ...send, notBefore: timestamp(next), message }
}

/** Due when the first of its waiting sends is; never again when none waits. */
function withSends(
  notification: NotificationDocument,
  sends: readonly NotificationSend[],
  now: number,
): NotificationDocument {
  const { dueAt: _due, ...rest } = notification
  const [first] = sends
    .filter(({ state }) => state === 'waiting')
    .map(({ notBefore }) => notBefore ?? timestamp(now))
    .sort()
  return { ...rest, sends, updatedAt: timestamp(now), ...(first === undefined ? {} : { dueAt: first }) }
}
