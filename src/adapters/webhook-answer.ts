import * as z from 'zod'
import type { WebhookAnswer } from '../ports/webhooks.ts'
import { redactText } from './redact.ts'

const LONGEST_DETAIL = 400
/** Statuses below 500 that say nothing of the question: another call may do better. */
const PASSING_TROUBLE = [408, 425, 429]
const OUTCOMES = { pass: 'passed', fail: 'refused', wait: 'waiting' } as const

const answerBody = z.object({
  verdict: z.enum(['pass', 'fail', 'wait']).optional(),
  message: z.string().optional().catch(undefined),
})
type AnswerBody = z.infer<typeof answerBody>

export interface ReceivedAnswer {
  readonly status: number
  readonly contentType: string | null
  readonly text: string
}

/**
 * What an answer by HTTP says. 2xx passes unless its JSON body holds a verdict, or it is a 202, which asks us to wait; 4xx
 * refuses, but for 408, 425 and 429; anything else, and an answer that cannot be read, is a failure.
 */
export function webhookAnswer(host: string, received: ReceivedAnswer): Pick<WebhookAnswer, 'outcome' | 'detail'> {
  const { status } = received
  if (status >= 300 && status < 400) return failed(`${host} answered ${status}, and redirects are not followed`)
  const body = readBody(received)
  const words = typeof body === 'object' && body.message ? `: ${body.message}` : ''
  if (status >= 300) {
    const detail = plainText(`${host} answered ${status}${words}`)
    return { outcome: status < 500 && !PASSING_TROUBLE.includes(status) ? 'refused' : 'failed', detail }
  }
  if (typeof body === 'string') return failed(`${host} ${body}`)
  if (body.verdict !== undefined)
    return { outcome: OUTCOMES[body.verdict], detail: plainText(`${host} says ${body.verdict}${words}`) }
  return { outcome: status === 202 ? 'waiting' : 'passed', detail: plainText(`${host} answered ${status}${words}`) }
}

/** The parts that count, or what is wrong with it. Receivers forget to say that it is JSON: a brace tells, too. */
function readBody({ contentType, text }: ReceivedAnswer): AnswerBody | string {
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')
  if (text.trim() === '' || !(isJson || text.trimStart().startsWith('{'))) return {}
  const value = parse(text)
  if (value === undefined) return 'gave an answer that is no JSON'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const parsed = answerBody.safeParse(value)
  return parsed.success ? parsed.data : 'gave a verdict that is none of pass, fail and wait'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failed(detail: string): Pick<WebhookAnswer, 'outcome' | 'detail'> {
  return { outcome: 'failed', detail: plainText(detail) }
}

/**
 * Words of another system as we keep and show them: one line without a full stop at its end, no control or formatting
 * characters, nothing that looks like a secret.
 */
export function plainText(text: string): string {
  const clean = redactText(text.replace(/[\p{C}\s]+/gu, ' ')).replace(/[ .]+$/, '')
  const characters = Array.from(clean)
  return characters.length > LONGEST_DETAIL ? `${characters.slice(0, LONGEST_DETAIL - 1).join('')}…` : clean
}
