import {
  type Emulator,
  type EmulatorContext,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonBody,
  jsonResponse,
  type Table,
} from '../emulator.ts'
import { keepMessage } from '../kept-messages.ts'
import { requestRate } from '../request-rate.ts'
import { wrongInBlocks } from './blocks.ts'

export interface SlackOptions {
  readonly botToken: string
  /** Where what was posted is kept (`keptMessages`). */
  readonly messages: Table
}

export interface SlackEmulator {
  /** `slack.com`: `POST /api/chat.postMessage`. */
  readonly api: Emulator
  /** `hooks.slack.com`: response_urls, `/commands/…` and `/actions/…`. */
  readonly hooks: Emulator
}

const PER_SECOND = 1
const BURST = 3
const LONGEST_TEXT = 40_000
const RESPONSES = 5
const RESPONSE_MS = 30 * 60_000

/** Slack's Web API and its response_urls, as far as messages go (https://docs.slack.dev/reference/methods/chat.postMessage). */
export function slackEmulator(context: EmulatorContext, options: SlackOptions): SlackEmulator {
  const rate = requestRate(context.now, PER_SECOND, BURST)
  const responses = new Map<string, { readonly since: number; count: number }>()
  const keep = (to: string, body: unknown) =>
    keepMessage(options.messages, { at: new Date(context.now()).toISOString(), to, body })
  return {
    async api(request) {
      if (request.url.pathname !== '/api/chat.postMessage') return trouble('unknown_method')
      const body = checkedBody(request, options.botToken)
      if (typeof body === 'string') return trouble(body)
      const channel = String(body.channel)
      const waitMs = rate(channel)
      if (waitMs > 0) {
        const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) }
        return jsonResponse(429, { ok: false, error: 'ratelimited' }, headers)
      }
      keep(channel, body)
      const ts = (context.now() / 1000).toFixed(6)
      const { text, blocks, metadata } = body
      return jsonResponse(200, { ok: true, channel, ts, message: { type: 'message', text, blocks, metadata, ts } })
    },
    async hooks(request) {
      const path = request.url.pathname
      if (request.method !== 'POST' || !/^\/(commands|actions)\//.test(path)) return jsonResponse(404, 'not_found')
      const used = responses.get(path) ?? { since: context.now(), count: 0 }
      responses.set(path, used)
      if (context.now() - used.since > RESPONSE_MS) return jsonResponse(404, { ok: false, error: 'expired_url' })
      if (used.count >= RESPONSES) return jsonResponse(404, { ok: false, error: 'used_url' })
      const body = readJson(request)
      if (body === undefined || wrongMessage(body) !== undefined)
        return jsonResponse(400, { ok: false, error: 'invalid_payload' })
      used.count += 1
      keep(path, body)
      return { status: 200, headers: { 'content-type': 'text/html' }, body: 'ok' }
    },
  }
}

type Body = Readonly<Record<string, unknown>>

/** The body, or Slack's word for what is wrong with the request. */
function checkedBody(request: EmulatorRequest, botToken: string): Body | string {
  if (request.method !== 'POST') return 'invalid_post_type'
  const authorization = request.headers.authorization
  if (authorization === undefined) return 'not_authed'
  if (authorization !== `Bearer ${botToken}`) return 'invalid_auth'
  if (!request.headers['content-type']?.startsWith('application/json')) return 'invalid_post_type'
  const body = readJson(request)
  if (body === undefined) return 'invalid_json'
  if (typeof body.channel !== 'string' || !/^([CGD][A-Z0-9]{8,20}|#[a-z0-9_-]{1,80})$/.test(body.channel))
    return 'channel_not_found'
  return wrongMessage(body) ?? body
}

function wrongMessage({ text, blocks, metadata }: Body): string | undefined {
  if ((typeof text !== 'string' || text === '') && blocks === undefined) return 'no_text'
  if (typeof text === 'string' && text.length > LONGEST_TEXT) return 'msg_too_long'
  if (blocks !== undefined && wrongInBlocks(blocks) !== undefined) return 'invalid_blocks'
  if (metadata === undefined) return undefined
  const { event_type: type, event_payload: payload } = metadata as Body
  return typeof type === 'string' && typeof payload === 'object' ? undefined : 'invalid_metadata_schema'
}

function readJson(request: EmulatorRequest): Body | undefined {
  try {
    const body = jsonBody(request)
    return typeof body === 'object' && body !== null ? (body as Body) : undefined
  } catch {
    return undefined
  }
}

/** Slack tells of trouble with status 200. */
function trouble(error: string): EmulatorResponse {
  return jsonResponse(200, { ok: false, error })
}
