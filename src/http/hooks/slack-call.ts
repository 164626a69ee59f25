import * as z from 'zod'
import type { AskedCommand } from '../../chat/receive-command.ts'
import { digest } from '../../model/digest.ts'

/** What a call of Slack's asks: a command, nothing (it is answered 200), or it has not the form of one. */
export type SlackCall =
  | { readonly kind: 'command'; readonly command: AskedCommand }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'broken' }

const BUTTON = 'meshwright.'

/** Answers of Slack go there and nowhere else. */
function replyTo(url: string | null | undefined): AskedCommand['replyTo'] {
  if (!url || url.length > 2000 || !URL.canParse(url)) return { kind: 'none' }
  const { protocol, host, username, password } = new URL(url)
  const isSlack = protocol === 'https:' && host === 'hooks.slack.com' && username === '' && password === ''
  return isSlack ? { kind: 'slack', url } : { kind: 'none' }
}

/**
 * A slash command: `text=abort+web&user_id=…&channel_id=…&trigger_id=…&response_url=…`. The trigger's id is new with every
 * command. Source: docs.slack.dev/interactivity/implementing-slash-commands.
 */
export function slashCommand(form: URLSearchParams): SlackCall {
  const user = form.get('user_id') ?? ''
  if (user === '') return { kind: 'broken' }
  const channel = form.get('channel_id') ?? ''
  return {
    kind: 'command',
    command: {
      name: digest('slack', form.get('team_id'), channel, form.get('trigger_id') ?? form.toString()),
      text: form.get('text') ?? '',
      from: { kind: 'slack', id: user },
      sender: (form.get('user_name') ?? user).slice(0, 100),
      origin: { kind: 'slack', ref: `#${form.get('channel_name') ?? channel}`.slice(0, 200) },
      replyTo: replyTo(form.get('response_url')),
    },
  }
}

const buttonPressed = z.looseObject({
  type: z.literal('block_actions'),
  trigger_id: z.string(),
  response_url: z.string().optional(),
  user: z.looseObject({ id: z.string(), username: z.string().optional(), name: z.string().optional() }),
  team: z.looseObject({ id: z.string() }).nullish(),
  channel: z.looseObject({ id: z.string(), name: z.string().optional() }).optional(),
  actions: z.array(z.looseObject({ action_id: z.string(), value: z.string().optional() })).min(1),
})

/**
 * A button of one of our messages: `payload` is JSON, `action_id` the verb, `value` the rollout and the step that is meant. What else Slack sends
 * here (links, forms) asks for nothing. Source: docs.slack.dev/reference/interaction-payloads/block_actions-payload.
 */
export function pressedButton(form: URLSearchParams): SlackCall {
  const payload = parseJson(form.get('payload'))
  if (payload === undefined) return { kind: 'broken' }
  const parsed = buttonPressed.safeParse(payload)
  const action = parsed.data?.actions.find(({ action_id, value }) => action_id.startsWith(BUTTON) && value)
  if (!parsed.success || action?.value === undefined) return { kind: 'nothing' }
  const { user, team, channel, trigger_id, response_url } = parsed.data
  return {
    kind: 'command',
    command: {
      name: digest('slack', team?.id ?? null, channel?.id ?? '', trigger_id),
      text: `${action.action_id.slice(BUTTON.length)} ${action.value}`,
      from: { kind: 'slack', id: user.id },
      sender: (user.username ?? user.name ?? user.id).slice(0, 100),
      origin: { kind: 'slack', ref: `#${channel?.name ?? channel?.id ?? ''}`.slice(0, 200) },
      replyTo: replyTo(response_url),
    },
  }
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
