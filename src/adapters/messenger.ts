import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { Messenger, OutgoingMessage } from '../ports/messenger.ts'
import { isPortError, PortError, type PortErrorKind } from '../ports/port-error.ts'
import { checkSlackResponseUrl, checkTeamsAddress } from './chat-addresses.ts'
import { withDeadline } from './deadline.ts'
import { type Fetch, readBounded } from './http-answer.ts'
import { networkFailure, retryAfterMs } from './network-failure.ts'
import { createPace, type Pace } from './pace.ts'

export interface MessengerSettings {
  /** Carries the requests; must be able to leave redirects alone (`redirect: 'manual'`). */
  readonly fetch: Fetch
  readonly addresses: AddressPolicy
  /** `xoxb-…`; without it nothing can be posted to Slack channels. */
  readonly slackToken?: string
}

const POST_MESSAGE = 'https://slack.com/api/chat.postMessage'
const deadlineMs = 10_000
const maxAnswerBytes = 256 * 1024
/** Slack takes about one message a second in a channel, Teams Workflows four requests a second. */
const slackGapMs = 1000
const teamsGapMs = 250
const longestTurnMs = 5000
/** How long to wait after a 429 that does not say. */
const unsaidWaitMs = 30_000

/** What Slack calls the trouble, by kind of error; any other word means that the message is wrong. */
const SLACK_ERRORS: Readonly<Record<string, PortErrorKind>> = {
  ratelimited: 'throttled',
  rate_limited: 'throttled',
  message_limit_exceeded: 'throttled',
  not_authed: 'denied',
  invalid_auth: 'denied',
  token_expired: 'denied',
  token_revoked: 'denied',
  account_inactive: 'denied',
  missing_scope: 'denied',
  no_permission: 'denied',
  access_denied: 'denied',
  ekm_access_denied: 'denied',
  internal_error: 'unavailable',
  fatal_error: 'unavailable',
  request_timeout: 'unavailable',
  service_unavailable: 'unavailable',
}
const STATUS_KINDS: Readonly<Record<number, PortErrorKind>> = { 401: 'denied', 403: 'denied', 429: 'throttled' }

interface Posting {
  readonly system: 'Slack' | 'Teams'
  readonly url: string
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly pace: Pace
  /** Whose turns are taken. */
  readonly key: string
}

interface Outside extends MessengerSettings {
  readonly clock: Clock
}

/** Sends messages to Teams Workflows webhooks, to Slack channels with a bot's token, and to Slack's response_urls. */
export function messenger(settings: MessengerSettings, clock: Clock): Messenger {
  const outside: Outside = { ...settings, clock }
  const slackPace = createPace(clock, 'Slack', slackGapMs, longestTurnMs)
  const teamsPace = createPace(clock, 'Teams', teamsGapMs, longestTurnMs)
  return {
    async send(message) {
      if (message.kind === 'slack') return postToChannel(outside, message, slackPace)
      const { url, body } = message
      if (message.kind === 'teams') {
        await checkTeamsAddress(url, settings.addresses)
        await post(outside, { system: 'Teams', url, body, pace: teamsPace, key: url })
        return
      }
      checkSlackResponseUrl(url)
      await post(outside, { system: 'Slack', url, body, pace: slackPace, key: url })
    },
  }
}

/** https://docs.slack.dev/reference/methods/chat.postMessage: trouble comes with status 200 and `ok: false`. */
async function postToChannel(
  outside: Outside,
  { channel, text, blocks, notification }: Extract<OutgoingMessage, { kind: 'slack' }>,
  pace: Pace,
): Promise<void> {
  if (outside.slackToken === undefined) {
    throw new PortError('denied', 'Slack', 'there is no Slack token in the settings', { reason: 'NoToken' })
  }
  const metadata = { event_type: 'meshwright_notification', event_payload: { notification } }
  const answer = await post(outside, {
    system: 'Slack',
    url: POST_MESSAGE,
    body: { channel, text, blocks, metadata, unfurl_links: false, unfurl_media: false },
    headers: { authorization: `Bearer ${outside.slackToken}` },
    pace,
    key: channel,
  })
  const trouble = slackError(answer)
  if (trouble === undefined) return
  const kind = SLACK_ERRORS[trouble] ?? 'invalid'
  const wait = kind === 'throttled' ? { retryAfterMs: unsaidWaitMs } : {}
  throw new PortError(kind, 'Slack', `Slack says ${trouble}`, { reason: trouble, ...wait })
}

/** Slack's word for the trouble; undefined when there is none. */
function slackError(answer: string): string | undefined {
  try {
    const { ok, error } = JSON.parse(answer) as Readonly<Record<string, unknown>>
    if (ok === true) return undefined
    return typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? error : 'unknown_error'
  } catch {
    throw new PortError('unavailable', 'Slack', 'Slack gave an answer that is no JSON', { reason: 'BadAnswer' })
  }
}

/** POSTs JSON once it is its turn; the answer's text. Throws PortError unless the status is 2xx. */
async function post(outside: Outside, { system, url, body, headers, pace, key }: Posting): Promise<string> {
  await pace.turn(key)
  const { fetch, clock } = outside
  try {
    return await withDeadline(clock, deadlineMs, system, async (signal) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/json; charset=utf-8', ...headers },
        body: JSON.stringify(body),
        redirect: 'manual',
        signal,
      })
      const answer = await readBounded(response, maxAnswerBytes, system)
      if (!response.ok) throw refused(system, response, clock.now())
      return answer
    })
  } catch (error) {
    const failure = isPortError(error) ? error : networkFailure(system, error)
    if (failure.kind === 'throttled') pace.rest(key, failure.retryAfterMs ?? unsaidWaitMs)
    throw failure
  }
}

/** What the answer says is left out: it may repeat what was sent. */
function refused(system: string, { status, headers }: Response, now: number): PortError {
  const kind = status < 400 || status >= 500 ? 'unavailable' : (STATUS_KINDS[status] ?? 'invalid')
  const told = retryAfterMs(headers.get('retry-after'), now)
  const wait = told ?? (kind === 'throttled' ? unsaidWaitMs : undefined)
  return new PortError(kind, system, `${system} answered ${status}`, {
    reason: `Status${status}`,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}
