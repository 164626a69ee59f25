import { setTimeout } from 'node:timers/promises'
import * as z from 'zod'
import {
  type Emulator,
  type EmulatorContext,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonBody,
  jsonResponse,
} from '../emulator.ts'
import { whyNotSigned } from './signed.ts'

const MOST_CALLS = 50

const answerSpec = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'wait']).optional(),
  message: z.string().max(1000).optional(),
  status: z.int().min(200).max(599).default(200),
  delayMs: z.int().min(0).max(60_000).default(0),
  /** Seconds; sent as the header. */
  retryAfter: z.int().min(0).optional(),
})
type AnswerSpec = z.infer<typeof answerSpec>

/** What a receiver got, and how it will answer. */
export interface ReceiverState {
  readonly answer: AnswerSpec
  /** The newest 50, the oldest first. */
  readonly calls: readonly ReceivedCall[]
}

export interface ReceivedCall {
  /** RFC 3339. */
  readonly at: string
  /** The same for calls about the same thing. */
  readonly id: string
  readonly body: unknown
}

export interface ReceiverOptions {
  /** `whsec_…`: by which callers sign. */
  readonly secret: string
  /** Waits; by the machine's clock when left out. */
  readonly sleep?: (durationMs: number) => Promise<unknown>
}

/**
 * Receivers of signed webhooks (Standard Webhooks), one below each path `/{name}`, which answer as they are told:
 * `POST` is a call, `PUT` says how to answer from now on (`{ "verdict"?, "message"?, "status"?, "delayMs"?, "retryAfter"? }`),
 * `GET` shows what came, `DELETE` forgets both. At first a receiver says pass. A call that is not signed gets 401.
 */
export function webhookReceiver({ now, storage }: EmulatorContext, options: ReceiverOptions): Emulator {
  const table = storage.table('webhooks')
  const { secret, sleep = setTimeout } = options
  const read = (name: string) => (table.get(name) ?? { answer: FIRST_ANSWER, calls: [] }) as ReceiverState
  return async (request) => {
    const name = /^\/([a-z0-9-]{1,63})$/.exec(request.url.pathname)?.[1]
    if (name === undefined) return jsonResponse(404, { message: 'nothing here' })
    const state = read(name)
    switch (request.method) {
      case 'GET':
        return jsonResponse(200, state)
      case 'DELETE':
        table.delete(name)
        return { status: 204, headers: {}, body: '' }
      case 'PUT': {
        const parsed = answerSpec.safeParse(jsonOf(request))
        if (!parsed.success) return jsonResponse(400, { message: z.prettifyError(parsed.error) })
        table.put(name, { ...state, answer: parsed.data })
        return jsonResponse(200, read(name))
      }
      case 'POST': {
        const refusal = whyNotSigned(request, secret, now())
        if (refusal !== undefined) return jsonResponse(401, { message: refusal })
        const call = { at: new Date(now()).toISOString(), id: request.headers['webhook-id'], body: jsonOf(request) }
        table.put(name, { ...state, calls: [...state.calls, call].slice(-MOST_CALLS) })
        if (state.answer.delayMs > 0) await sleep(state.answer.delayMs)
        return answerOf(state.answer)
      }
      default:
        return jsonResponse(405, { message: 'the method is not allowed here' })
    }
  }
}

const FIRST_ANSWER: AnswerSpec = { verdict: 'pass', status: 200, delayMs: 0 }

function answerOf({ verdict, message, status, retryAfter }: AnswerSpec): EmulatorResponse {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  if (status === 204) return { status, headers, body: '' }
  return jsonResponse(status, { verdict, message }, headers)
}

function jsonOf(request: EmulatorRequest): unknown {
  try {
    return jsonBody(request)
  } catch {
    return undefined
  }
}
