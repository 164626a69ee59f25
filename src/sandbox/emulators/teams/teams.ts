import { type Emulator, type EmulatorContext, jsonBody, jsonResponse, type Table } from '../emulator.ts'
import { keepMessage } from '../kept-messages.ts'
import { requestRate } from '../request-rate.ts'

export interface TeamsOptions {
  /** `sig` of the webhook's address: it is the only credential. */
  readonly signature: string
  /** Where what was posted is kept (`keptMessages`), with `failed` for flows that could not post it. */
  readonly messages: Table
}

const MOST_BYTES = 28 * 1024
const PER_SECOND = 4
/** Of Adaptive Cards that come by an incoming webhook: the others are not supported there. */
const ACTIONS = ['Action.OpenUrl', 'Action.ShowCard', 'Action.ToggleVisibility']

/**
 * A flow "When a Teams webhook request is received", which posts every attached card to its channel. 202 means that the
 * flow has begun: a body that it cannot post fails the flow and nobody is told, as in Teams.
 */
export function teamsWorkflowEmulator(context: EmulatorContext, options: TeamsOptions): Emulator {
  const rate = requestRate(context.now, PER_SECOND, PER_SECOND)
  return async (request) => {
    const workflow = /^\/workflows\/([0-9a-f]{32})\/triggers\/manual\/paths\/invoke$/.exec(request.url.pathname)?.[1]
    if (workflow === undefined) return failure(404, 'WorkflowNotFound')
    if (request.url.searchParams.get('sig') !== options.signature) return failure(401, 'DirectApiAuthorizationRequired')
    if (request.method !== 'POST') return failure(404, 'WorkflowTriggerMethodNotAllowed')
    const waitMs = rate(workflow)
    if (waitMs > 0) return failure(429, 'TooManyRequests', { 'retry-after': String(Math.ceil(waitMs / 1000)) })
    if (request.body.length > MOST_BYTES) return failure(413, 'RequestEntityTooLarge')
    const body = readJson(() => jsonBody(request))
    if (body === undefined) return failure(400, 'InvalidRequestContent')
    const failed = whyNotPosted(body)
    const at = new Date(context.now()).toISOString()
    keepMessage(options.messages, { at, to: workflow, body, ...(failed === undefined ? {} : { failed }) })
    return { status: 202, headers: { 'x-ms-workflow-id': workflow }, body: '' }
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Why the flow's step "Post card" fails; undefined when it does not. */
function whyNotPosted(body: unknown): string | undefined {
  const { type, attachments } = body as Fields
  if (type !== 'message') return 'the body is no message'
  if (!Array.isArray(attachments) || attachments.length === 0) return 'there are no attachments'
  for (const attachment of attachments as Fields[]) {
    if (attachment.contentType !== 'application/vnd.microsoft.card.adaptive') return 'an attachment is no Adaptive Card'
    const card = (attachment.content ?? {}) as Fields
    if (card.type !== 'AdaptiveCard' || !Array.isArray(card.body)) return 'an attachment holds no AdaptiveCard'
    if (!/^1\.[0-5]$/.test(String(card.version))) return `version ${String(card.version)} is not known`
    const action = ((card.actions ?? []) as Fields[]).find((one) => !ACTIONS.includes(String(one.type)))
    if (action !== undefined) return `${String(action.type)} is not supported`
  }
  return undefined
}

function readJson(read: () => unknown): unknown {
  try {
    const body = read()
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

function failure(status: number, code: string, headers: Record<string, string> = {}) {
  return jsonResponse(status, { error: { code, message: `The request failed: ${code}.` } }, headers)
}
