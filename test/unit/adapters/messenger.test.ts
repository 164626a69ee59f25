import { beforeEach, describe, expect, it } from 'vitest'
import { emulatedUrl } from '../../../src/adapters/azure-http.ts'
import type { Fetch } from '../../../src/adapters/http-answer.ts'
import { messenger } from '../../../src/adapters/messenger.ts'
import { outsideAddresses } from '../../../src/adapters/outside-address.ts'
import { rolloutStory } from '../../../src/chat/cards/rollout-story.ts'
import { slackMessage } from '../../../src/chat/cards/slack-message.ts'
import { teamsMessage } from '../../../src/chat/cards/teams-card.ts'
import type { OutgoingMessage } from '../../../src/ports/messenger.ts'
import { isPortError, type PortError } from '../../../src/ports/port-error.ts'
import {
  chatControl,
  chatHosts,
  SANDBOX_SLACK_CHANNEL,
  SANDBOX_SLACK_TOKEN,
  SANDBOX_TEAMS_WEBHOOK,
} from '../../../src/sandbox/chat-world.ts'
import type { KeptMessage } from '../../../src/sandbox/emulators/kept-messages.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { ConnectionError, routeByHost } from '../../../src/sandbox/transports/wire.ts'
import { aHarmfulRollout, anEvent } from '../chat/cards/a-story.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

const story = rolloutStory('n1', anEvent('rollout.started'), aHarmfulRollout(), 'https://mesh.example.com')
const TEAMS: OutgoingMessage = { kind: 'teams', url: SANDBOX_TEAMS_WEBHOOK, body: teamsMessage(story) }
const SLACK = { kind: 'slack', channel: SANDBOX_SLACK_CHANNEL, notification: 'n1', ...slackMessage(story) } as const
const RESPONSE = {
  kind: 'slack-response',
  url: 'https://hooks.slack.com/commands/T1/1/x',
  body: { text: 'done' },
} as const

let clock: VirtualClock
let storage: ReturnType<typeof memoryStorage>
let fetch: Fetch
let asked: string[]

beforeEach(() => {
  clock = virtualClock()
  storage = memoryStorage()
  asked = []
  const inner = fetchTransport(routeByHost(chatHosts({ now: clock.now, random: () => 0.5, storage })))
  fetch = (input, init) => {
    asked.push(new URL(String(input)).hostname)
    return inner(input, init)
  }
})

const addresses = (allowPrivate = false) => outsideAddresses({ hosts: [], allowPrivate }, async () => ['127.0.0.1'])
const open = (slackToken: string | undefined = SANDBOX_SLACK_TOKEN, allowPrivate = false) =>
  messenger({ fetch, addresses: addresses(allowPrivate), ...(slackToken === '' ? {} : { slackToken }) }, clock)

async function failureOf(sending: Promise<void>): Promise<PortError> {
  const error = await sending.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!isPortError(error)) throw new Error(`no PortError but ${String(error)}`)
  return error
}

async function got(): Promise<{ readonly slack: readonly KeptMessage[]; readonly teams: readonly KeptMessage[] }> {
  const request = { method: 'GET', url: new URL('http://x/world/chat'), headers: {}, body: new Uint8Array() }
  return JSON.parse(String((await chatControl(storage)(request)).body))
}

/** An answer to everything. */
function answering(status: number, body: string, headers: Record<string, string> = {}): void {
  fetch = async () => new Response(body, { status, headers })
}

describe('the messenger', () => {
  it('posts to Slack channels, Teams workflows and response_urls', async () => {
    const { send } = open()
    for (const message of [SLACK, TEAMS, RESPONSE]) await send(message)
    const { slack, teams } = await got()
    expect(slack).toMatchObject([
      {
        to: SANDBOX_SLACK_CHANNEL,
        body: { text: SLACK.text, metadata: { event_payload: { notification: 'n1' } }, unfurl_links: false },
      },
      { to: '/commands/T1/1/x', body: { text: 'done' } },
    ])
    expect(teams).toHaveLength(1)
    expect(teams[0]).not.toHaveProperty('failed')
    expect(teams[0]?.body).toEqual(JSON.parse(JSON.stringify(teamsMessage(story))))
  })

  it('calls no other hosts, and does not repeat the address', async () => {
    const teams = (url: string) => ({ ...TEAMS, url })
    const response = (url: string) => ({ ...RESPONSE, url })
    for (const message of [
      teams('https://evil.example/workflows/1?sig=s3cret'),
      teams('https://logic.azure.com.evil.example/?sig=s3cret'),
      teams('https://evil-logic.azure.com/?sig=s3cret'),
      teams('http://prod.logic.azure.com/?sig=s3cret'),
      teams('https://u:s3cret@prod.logic.azure.com/'),
      teams('https://prod.logic.azure.com:8443/?sig=s3cret'),
      teams('https://169.254.169.254/?sig=s3cret'),
      teams('s3cret'),
      response('https://evil.example/s3cret'),
      response('http://hooks.slack.com/s3cret'),
      response('https://hooks.slack.com:8443/s3cret'),
      response('https://hooks.slack.com@evil.example/s3cret'),
    ]) {
      const failure = await failureOf(open().send(message))
      expect(failure).toMatchObject({ kind: 'denied', reason: 'AddressRefused' })
      expect(failure.message).not.toMatch(/s3cret|evil/)
    }
    expect(asked).toEqual([])
  })

  it('calls loopback for Teams where the settings allow private addresses', async () => {
    fetch = async (input) => new Response(String(input), { status: 202 })
    await open('', true).send({ ...TEAMS, url: 'http://127.0.0.1:9/hook' })
    await expect(open('', true).send({ ...TEAMS, url: 'http://10.0.0.1/hook' })).rejects.toThrow('https')
    await open('', true).send({ ...TEAMS, url: 'https://10.0.0.1/hook' })
  })

  it('tells what Slack says', async () => {
    expect(await failureOf(open('xoxb-wrong').send(SLACK))).toMatchObject({ kind: 'denied', reason: 'invalid_auth' })
    expect(await failureOf(open('').send(SLACK))).toMatchObject({ kind: 'denied', reason: 'NoToken' })
    const wrong = { ...SLACK, channel: 'nowhere' }
    expect(await failureOf(open().send(wrong))).toMatchObject({ kind: 'invalid', reason: 'channel_not_found' })
    const blocks = [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }]
    expect(await failureOf(open().send({ ...SLACK, blocks }))).toMatchObject({
      kind: 'invalid',
      reason: 'invalid_blocks',
    })
    answering(200, '{"ok":false,"error":"ratelimited"}')
    expect(await failureOf(open().send(SLACK))).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
    answering(200, '{"ok":false,"error":"xoxb-1 <b>"}')
    expect(await failureOf(open().send(SLACK))).toMatchObject({ kind: 'invalid', reason: 'unknown_error' })
    answering(200, 'oops')
    expect(await failureOf(open().send(SLACK))).toMatchObject({ kind: 'unavailable', reason: 'BadAnswer' })
  })

  it('tells what the status says, and follows no redirect', async () => {
    const cases = [
      [302, 'unavailable'],
      [400, 'invalid'],
      [401, 'denied'],
      [404, 'invalid'],
      [413, 'invalid'],
      [500, 'unavailable'],
    ] as const
    for (const [status, kind] of cases) {
      answering(status, 'https://prod.logic.azure.com/?sig=secret', { location: 'https://evil.example/' })
      const failure = await failureOf(open().send(TEAMS))
      expect(failure).toMatchObject({ kind, message: `Teams answered ${status}` })
    }
    answering(429, '', { 'retry-after': '7' })
    expect(await failureOf(open().send(TEAMS))).toMatchObject({ kind: 'throttled', retryAfterMs: 7000 })
    fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new ConnectionError('ECONNRESET') }))
    expect(await failureOf(open().send(TEAMS))).toMatchObject({ kind: 'unavailable', reason: 'ConnectionLost' })
  })

  it('gives up after ten seconds', async () => {
    fetch = () => new Promise(() => undefined)
    const failure = failureOf(open().send(TEAMS))
    await clock.pass(10_000)
    expect(await failure).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
  })

  it('takes turns: one a second in a Slack channel, four in a Teams workflow, so that none is throttled', async () => {
    const { send } = open()
    const sending = Promise.all([...Array(5).fill(SLACK), ...Array(9).fill(TEAMS)].map((message) => send(message)))
    await clock.pass(4000)
    await sending
    const { slack, teams } = await got()
    const seconds = (messages: readonly KeptMessage[]) => messages.map(({ at }) => Date.parse(at) % 60_000)
    expect(seconds(slack)).toEqual([0, 1000, 2000, 3000, 4000])
    expect(seconds(teams)).toEqual([0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000])
  })

  it('holds nobody up for long: who would wait is throttled, as after a 429', async () => {
    const { send } = open()
    const outcomes = Promise.allSettled(Array.from({ length: 8 }, () => send(SLACK)))
    await clock.pass(10_000)
    expect((await outcomes).map(({ status }) => status === 'fulfilled')).toEqual([...Array(6).fill(true), false, false])
    answering(429, '', { 'retry-after': '40' })
    const other = open()
    await failureOf(other.send(TEAMS))
    expect(await failureOf(other.send(TEAMS))).toMatchObject({ kind: 'throttled', retryAfterMs: 40_000 })
  })

  it('reaches the emulators by the addresses of the real services', () => {
    for (const url of [SANDBOX_TEAMS_WEBHOOK, RESPONSE.url, 'https://slack.com/api/chat.postMessage'])
      expect(emulatedUrl('http://127.0.0.1:1/azure', url)).toBe(url.replace('https://', 'http://127.0.0.1:1/azure/'))
  })
})

describe('the emulated services', () => {
  const post = async (url: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method: 'POST', body, headers })
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.text() }
  }

  it('Teams: a bare card begins a flow that fails; too much, too often and without signature is refused', async () => {
    const bare = JSON.stringify({ type: 'AdaptiveCard', version: '1.4', body: [] })
    expect(await post(SANDBOX_TEAMS_WEBHOOK, bare)).toMatchObject({ status: 202 })
    expect((await got()).teams).toMatchObject([{ failed: 'the body is no message' }])
    expect(await post(SANDBOX_TEAMS_WEBHOOK, JSON.stringify('x'.repeat(28 * 1024)))).toMatchObject({ status: 413 })
    expect(await post(SANDBOX_TEAMS_WEBHOOK.replace(/sig=.*/, 'sig=x'), bare)).toMatchObject({ status: 401 })
    for (let index = 0; index < 2; index += 1) await post(SANDBOX_TEAMS_WEBHOOK, bare)
    expect(await post(SANDBOX_TEAMS_WEBHOOK, bare)).toMatchObject({ status: 429, retryAfter: '1' })
  })

  it('Slack: more than a short burst is refused; a response_url takes five messages in half an hour', async () => {
    const headers = { authorization: `Bearer ${SANDBOX_SLACK_TOKEN}`, 'content-type': 'application/json' }
    const message = JSON.stringify({ channel: SANDBOX_SLACK_CHANNEL, text: 'hello' })
    const url = 'https://slack.com/api/chat.postMessage'
    for (let index = 0; index < 3; index += 1) expect((await post(url, message, headers)).status).toBe(200)
    expect(await post(url, message, headers)).toMatchObject({ status: 429, retryAfter: '1' })
    for (let index = 0; index < 5; index += 1) expect((await post(RESPONSE.url, message)).status).toBe(200)
    expect(await post(RESPONSE.url, message)).toMatchObject({ status: 404, body: expect.stringContaining('used_url') })
    await post(`${RESPONSE.url}2`, message)
    await clock.pass(31 * 60_000)
    expect((await post(`${RESPONSE.url}2`, message)).body).toContain('expired_url')
  })
})
