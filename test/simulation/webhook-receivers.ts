import {
  type Emulator,
  type EmulatorContext,
  type EmulatorResponse,
  jsonBody,
  jsonResponse,
} from '../../src/sandbox/emulators/emulator.ts'
import { whyNotSigned } from '../../src/sandbox/emulators/webhook/signed.ts'
import { plain } from './broken-answers.ts'
import { WEBHOOK_KEY } from './vault-side.ts'

export const WEBHOOK_HOST = 'hooks.test'

/**
 * How receivers behave, one at the path of each name. All but `fickle` give the same question the same final answer, as
 * `webhook-id` asks them to.
 */
export const RECEIVERS = ['passing', 'failing', 'patient', 'flaky', 'broken', 'fickle', 'refusing', 'silent'] as const
export type ReceiverName = (typeof RECEIVERS)[number]

/** One question as it was received. */
export interface Question {
  readonly id: string
  readonly rollout: string
  readonly wave: number
  readonly step: number
}

/** Other systems that steps ask by webhook. */
export interface Receivers {
  readonly handle: Emulator
  /** Told of every call; `refusal` says why it is not one of ours. */
  onCall(listener: (question: Question, refusal: string | undefined) => void): void
  /** From now on all of them say pass to what is new to them. */
  heal(): void
}

export function createReceivers({ now, random }: EmulatorContext): Receivers {
  const listeners: ((question: Question, refusal: string | undefined) => void)[] = []
  const finals = new Map<string, 'pass' | 'fail'>()
  const calls = new Map<string, number>()
  let healed = false
  return {
    onCall: (listener) => void listeners.push(listener),
    heal() {
      healed = true
    },
    async handle(request) {
      const id = request.headers['webhook-id'] ?? ''
      const refusal = whyNotSigned(request, WEBHOOK_KEY, now())
      const { data } = jsonBody(request) as { readonly data: Omit<Question, 'id'> }
      for (const tell of listeners) tell({ id, ...data }, refusal)
      if (refusal !== undefined) return jsonResponse(401, { message: refusal })
      const count = (calls.get(id) ?? 0) + 1
      calls.set(id, count)
      const name = request.url.pathname.slice(1) as ReceiverName
      const known = finals.get(id)
      const answer = known ?? answerOf(healed ? 'passing' : name, count, random)
      if (answer === undefined) return new Promise<never>(() => {})
      if (typeof answer !== 'string') return answer
      if (name !== 'fickle' && answer !== 'wait') finals.set(id, answer)
      return jsonResponse(200, { verdict: answer, message: `${name} says so` })
    },
  }
}

/** A verdict, another answer, or undefined for none at all. */
function answerOf(
  name: ReceiverName,
  count: number,
  random: () => number,
): 'pass' | 'fail' | 'wait' | EmulatorResponse | undefined {
  switch (name) {
    case 'passing':
      return 'pass'
    case 'failing':
      return 'fail'
    case 'patient':
      return count < 3 ? 'wait' : 'pass'
    case 'flaky':
      return random() < 0.5 ? plain(503, 'not now') : 'pass'
    case 'broken':
      return plain(500, 'out of order')
    case 'fickle':
      return (['pass', 'fail', 'wait'] as const)[Math.floor(random() * 3)]
    case 'refusing':
      return jsonResponse(403, { message: 'you may not ask' })
    case 'silent':
      return count < 2 ? undefined : 'pass'
  }
}
