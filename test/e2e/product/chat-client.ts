import { createHmac } from 'node:crypto'
import { SANDBOX_PEOPLE } from '../../../src/sandbox/identities.ts'
import type { Product } from './product.ts'
import { until } from './until.ts'

/** Slack user that team shop maps to Dana, who deploys. */
export const SLACK_DANA = 'U0DANA'
let messages = 0

/** An answer of a hook. */
export interface HookAnswer {
  readonly status: number
  readonly text: string
  /** Milliseconds until the whole answer was there. */
  readonly tookMs: number
}

/** Team shop with Dana's Slack user. */
export async function mapSlackUser(product: Product): Promise<void> {
  const team = await product.call<{ chat?: object }>('GET', '/teams/shop')
  const chat = { ...team.body.chat, slackUsers: { [SLACK_DANA]: SANDBOX_PEOPLE.deployer.oid } }
  const put = await product.call('PATCH', '/teams/shop', { body: { chat } })
  if (put.status !== 200) throw new Error(`${put.status} ${JSON.stringify(put.body)}`)
}

export interface SlackChange {
  readonly user?: string
  readonly trigger?: string
  readonly secret?: string
  /** Seconds that the call is old. */
  readonly oldS?: number
  readonly responseUrl?: string
}

/** A slash command as Slack sends it. */
export function slash(product: Product, text: string, change: SlackChange = {}): Promise<HookAnswer> {
  messages += 1
  const {
    user = SLACK_DANA,
    trigger = `t.${messages}`,
    responseUrl = `https://hooks.slack.com/commands/T/${messages}/x`,
  } = change
  const raw = new URLSearchParams({
    token: 'deprecated',
    team_id: 'T1',
    channel_id: 'C1',
    channel_name: 'deploys',
    user_id: user,
    user_name: 'dana',
    command: '/mesh',
    text,
    response_url: responseUrl,
    trigger_id: trigger,
  }).toString()
  const timestamp = String(Math.floor(Date.now() / 1000) - (change.oldS ?? 0))
  const signature = createHmac('sha256', change.secret ?? product.file.hooks.slack).update(`v0:${timestamp}:${raw}`)
  return post(product, '/hooks/slack/commands', raw, {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature.digest('hex')}`,
  })
}

export interface TeamsChange {
  readonly person?: string
  readonly id?: string
  readonly token?: string
  readonly at?: number
}

/** A mention in a channel as Teams' outgoing webhook sends it. */
export function mention(product: Product, text: string, change: TeamsChange = {}): Promise<HookAnswer> {
  messages += 1
  const { person = SANDBOX_PEOPLE.deployer.oid, id = `m${messages}`, at = Date.now() } = change
  const raw = JSON.stringify({
    type: 'message',
    id,
    timestamp: new Date(at).toISOString(),
    channelId: 'msteams',
    from: { id: '29:1', name: 'Dana Deployer', aadObjectId: person },
    conversation: { isGroup: true, id: '19:c@thread.tacv2;messageid=1', conversationType: 'channel' },
    text: `<at>Meshwright</at> ${text}`,
    textFormat: 'plain',
  })
  const key = Buffer.from(change.token ?? product.file.hooks.teams, 'base64')
  const authorization = `HMAC ${createHmac('sha256', key).update(raw).digest('base64')}`
  return post(product, '/hooks/teams', raw, { 'content-type': 'application/json', authorization })
}

/** What came of a slash command, also when the machine was too busy to say it at once: it is asked for again. */
export function slashed(product: Product, text: string, change: SlackChange = {}): Promise<HookAnswer> {
  messages += 1
  const same = { trigger: `s.${messages}`, ...change }
  return until(() => slash(product, text, same), isDone)
}

/** What came of a mention. */
export function mentioned(product: Product, text: string, change: TeamsChange = {}): Promise<HookAnswer> {
  messages += 1
  const same = { id: `s${messages}`, ...change }
  return until(() => mention(product, text, same), isDone)
}

const isDone = ({ text }: HookAnswer) => !text.includes('Working on it')

/** A webhook of a monitor. */
export function alert(
  product: Product,
  path: string,
  body: unknown,
  secret = product.file.hooks.alerts,
): Promise<HookAnswer> {
  return post(product, `/hooks/alerts/${path}`, JSON.stringify(body), {
    'content-type': 'application/json',
    authorization: `Bearer ${secret}`,
  })
}

async function post(
  { file }: Product,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<HookAnswer> {
  const since = performance.now()
  const response = await fetch(file.baseUrl + path, { method: 'POST', headers, body })
  const text = await response.text()
  return { status: response.status, text, tookMs: performance.now() - since }
}

interface KeptMessages {
  readonly slack: readonly { readonly to: string; readonly body: { readonly text?: string } }[]
}

/** Texts that came to a response_url, in order. */
export async function answersAt(product: Product, responseUrl: string): Promise<readonly string[]> {
  const { slack } = await product.world<KeptMessages>('GET', '/chat')
  return slack.filter(({ to }) => to === new URL(responseUrl).pathname).map(({ body }) => body.text ?? '')
}
