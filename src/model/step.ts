import * as z from 'zod'
import { durationBetween, durationMs } from './names.ts'
import { type RouteMatch, routeMatch } from './route-match.ts'

const span = durationBetween('1s', '7d')

/** What happens when a step is not through in its time. */
export const ON_TIMEOUT = ['pause', 'rollback', 'proceed'] as const

export const approvalSpec = z
  .union([z.literal(true), z.strictObject({ quorum: z.int().min(1).max(10) })])
  .describe('The step ends only when approvers say so: one, or as many as the quorum asks for')

export const webhookSpec = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .refine(isUntapped, 'must begin with https://, or lead to this machine itself')
    .describe(
      'Called by POST; its host must be one of the allowed outside hosts. Who may not write it sees scheme and host',
    ),
  secret: z
    .string()
    .regex(
      /^webhook-[-a-z0-9]{0,54}[a-z0-9]$/,
      'must begin with webhook- and go on in lower-case letters, digits and "-": other secrets of the vault sign no calls',
    )
    .meta({ examples: ['webhook-signing'] })
    .optional()
    .describe('Name of the secret in Meshwright’s own vault that signs the call; webhook-signing when left out'),
  deadline: durationBetween('1s', '30s').optional().describe('How long one call may take; 10s when left out'),
  retries: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Further calls after one that was not answered, or by 5xx or 429; 3 when left out'),
})
export type WebhookSpec = z.infer<typeof webhookSpec>

/** How long one call of a webhook step may take, in milliseconds, and how many may follow a failed one. */
export function webhookLimits({ deadline = '10s', retries = 3 }: WebhookSpec): { deadlineMs: number; retries: number } {
  return { deadlineMs: durationMs(deadline), retries }
}

/** What goes by plain HTTP can be answered by anyone on the way. */
function isUntapped(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' || /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(url?.hostname ?? '')
}

const TRAFFIC = ['weight', 'match', 'mirror'] as const
const WAITS = ['hold', 'webhook'] as const

/**
 * One step. It sets traffic (`weight`, `match`, `mirror`, with `for`), or keeps the traffic of the step before and waits:
 * `hold`, `webhook`, or `approval` or `analysis` alone. Beside traffic, `approval` and `analysis` say what must hold at its end.
 */
export const stepSpec = z
  .strictObject({
    weight: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Whole per cents of the requests that the candidate gets. Left out beside match or mirror: as before'),
    match: z
      .array(routeMatch)
      .min(1)
      .max(10)
      .optional()
      .describe('All requests that one of these fits go to the candidate'),
    mirror: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Whole per cents of the requests are copied to the candidate, whose answers nobody gets'),
    for: span.optional().describe('How long at least, counted from the time the traffic is live'),
    analysis: z.literal(true).optional().describe('The step ends only when every gate says safe'),
    approval: approvalSpec.optional(),
    hold: span.optional().describe('Waits so long'),
    webhook: webhookSpec.optional().describe('Asks another system; see docs/rollouts.md for the call and its answers'),
    timeout: span
      .optional()
      .describe(
        'How long analysis, approval, webhook or want of requests may hold the step up; patience when left out',
      ),
    onTimeout: z.enum(ON_TIMEOUT).optional().describe('What happens then; pause when left out'),
  })
  .superRefine((step, context) => {
    const problem = stepProblem(step)
    if (problem) context.addIssue({ code: 'custom', path: problem.path, message: problem.message })
  })
  .meta({ examples: [{ weight: 10, for: '5m' }] })
export type StepSpec = z.infer<typeof stepSpec>

function stepProblem(step: Readonly<Record<string, unknown>>): { path: string[]; message: string } | undefined {
  const has = (field: string) => step[field] !== undefined
  const traffic = TRAFFIC.filter(has)
  const waits = WAITS.filter(has)
  if (traffic.length > 0) {
    if (!has('for')) return { path: ['for'], message: 'is required' }
    if (waits[0]) return { path: [waits[0]], message: 'must be a step of its own: it sets no traffic' }
    if (has('mirror') && has('weight')) return { path: ['mirror'], message: 'must not stand beside weight' }
    if (has('mirror') && has('match')) return { path: ['mirror'], message: 'must not stand beside match' }
    return undefined
  }
  if (has('for')) return { path: ['for'], message: 'must stand beside weight, match or mirror' }
  const alone = [...waits, ...(['approval', 'analysis'] as const).filter(has)]
  if (alone.length === 0) {
    return { path: [], message: 'must hold weight, match, mirror, hold, approval, analysis or webhook' }
  }
  const [, second] = alone
  return second === undefined ? undefined : { path: [second], message: 'must be a step of its own' }
}

/** What a step does: it sets traffic, or waits for one thing. */
export type StepKind = 'traffic' | 'hold' | 'approval' | 'analysis' | 'webhook'

export function stepKind(step: StepSpec): StepKind {
  if (TRAFFIC.some((field) => step[field] !== undefined)) return 'traffic'
  if (step.hold !== undefined) return 'hold'
  if (step.webhook !== undefined) return 'webhook'
  return step.approval === undefined ? 'analysis' : 'approval'
}

/** Which requests the candidate gets on a cluster: a share, those that match, copies of some. */
export interface CandidateTraffic {
  /** Whole per cents of all requests that no match takes. */
  readonly weight: number
  readonly match?: readonly RouteMatch[]
  /** Whole per cents that are copied. */
  readonly mirror?: number
}

export const NO_TRAFFIC: CandidateTraffic = { weight: 0 }
export const ALL_TRAFFIC: CandidateTraffic = { weight: 100 }

/** The traffic during step `index`: what the last step up to it sets that sets any; a weight holds until another is set. */
export function trafficAt(steps: readonly StepSpec[], index: number): CandidateTraffic {
  let traffic = NO_TRAFFIC
  for (const step of steps.slice(0, index + 1)) {
    if (stepKind(step) !== 'traffic') continue
    const { weight = traffic.weight, match, mirror } = step
    traffic = { weight, ...(match ? { match } : {}), ...(mirror === undefined ? {} : { mirror }) }
  }
  return traffic
}

/** Are these the same requests? */
export function sameTraffic(a: CandidateTraffic, b: CandidateTraffic): boolean {
  return a.weight === b.weight && a.mirror === b.mirror && JSON.stringify(a.match) === JSON.stringify(b.match)
}

/** As people read it: `10 %`, `what matches`, `10 % and what matches`, `copies of 50 %`, `nothing`. */
export function trafficText({ weight, match, mirror }: CandidateTraffic): string {
  if (mirror !== undefined) return `copies of ${mirror} %`
  if (match) return weight === 0 ? 'what matches' : `${weight} % and what matches`
  return weight === 0 ? 'nothing' : `${weight} %`
}

/** A step as people read it: `10 % for 5m`, `what matches for 1h`, `hold 10m`, `approval`, `webhook example.com`. */
export function stepText(step: StepSpec): string {
  switch (stepKind(step)) {
    case 'traffic':
      return `${trafficText(trafficAt([step], 0))} for ${step.for}`
    case 'hold':
      return `hold ${step.hold}`
    case 'webhook':
      return `webhook ${step.webhook ? new URL(step.webhook.url).host : ''}`
    case 'approval':
      return quorumOf(step) > 1 ? `approval by ${quorumOf(step)}` : 'approval'
    case 'analysis':
      return 'analysis'
  }
}

/** How many approvers a step asks for; 0: none. */
export function quorumOf({ approval }: Pick<StepSpec, 'approval'>): number {
  if (approval === undefined) return 0
  return approval === true ? 1 : approval.quorum
}
