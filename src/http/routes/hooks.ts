import type { CommandDeps } from '../../chat/carry-out-command.ts'
import { type AskedCommand, NOT_STORED, receiveCommand } from '../../chat/receive-command.ts'
import { slackAnswer } from '../../chat/slack-answer.ts'
import { teamsAnswer } from '../../chat/teams-answer.ts'
import type { CommandAnswer } from '../../model/command.ts'
import { type Result, succeed } from '../../model/failure.ts'
import { isPortError } from '../../ports/port-error.ts'
import { refuseHook } from '../hooks/refuse-hook.ts'
import { pressedButton, slashCommand } from '../hooks/slack-call.ts'
import { teamsCommand } from '../hooks/teams-activity.ts'
import { isFromSlack } from '../hooks/verify-slack.ts'
import { isFromTeams } from '../hooks/verify-teams.ts'
import { type Answer, type Call, type Route, rawRoute } from '../route.ts'

type HookCall = Call<Uint8Array, unknown>

const MOST_BYTES = 256 * 1024
/** Slack gives up after 3 s, Teams after 5 s: from the call's arrival, so that the way there and back is in it. */
const SLACK_MS = 1700
const TEAMS_MS = 3700

const common = { method: 'POST', root: 'both', tag: 'Hooks', access: 'open', failures: ['Unauthenticated'] } as const
const FORM = ['application/x-www-form-urlencoded']
const answered = (description: string) => ({ 200: { description, contentType: 'application/json' } })

export const HOOK_ROUTES: readonly Route[] = [
  rawRoute({
    ...common,
    path: '/hooks/teams',
    operationId: 'hookTeams',
    summary: 'A mention in Teams (outgoing webhook)',
    description: 'Signed with HMAC over the body. Answers within 5 s.',
    rawBody: { mostBytes: MOST_BYTES, types: ['application/json'] },
    answers: answered('A message'),
    handle: fromTeams,
  }),
  rawRoute({
    ...common,
    path: '/hooks/slack/commands',
    operationId: 'hookSlackCommands',
    summary: 'A slash command of Slack',
    description:
      'Signed by Slack, at most five minutes old. Answers within 3 s; what takes longer goes to response_url.',
    rawBody: { mostBytes: MOST_BYTES, types: FORM },
    answers: answered('A message'),
    handle: fromSlashCommand,
  }),
  rawRoute({
    ...common,
    path: '/hooks/slack/actions',
    operationId: 'hookSlackActions',
    summary: 'A button in a message of Slack',
    description: 'Signed by Slack, at most five minutes old. The answer goes to response_url.',
    rawBody: { mostBytes: MOST_BYTES, types: FORM },
    answers: { 200: { description: 'Taken' } },
    handle: fromButton,
  }),
]

async function fromTeams({ deps, request, body }: HookCall): Promise<Result<Answer>> {
  const { clock, hooks } = deps
  const arrivedAt = clock.now()
  if (!isFromTeams({ headers: request.headers, body }, hooks.teams)) return refuseHook(deps, 'teams')
  const call = teamsCommand(body, arrivedAt)
  if (call.kind === 'broken') return refuseHook(deps, 'teams', call.why)
  const answer = await receive(deps, call.command, arrivedAt + TEAMS_MS)
  const later: CommandAnswer = {
    text: 'Working on it. Ask me for status in a moment to see what came of it.',
    audience: 'asker',
  }
  return succeed({ status: 200, json: teamsAnswer(answer ?? later) })
}

async function fromSlashCommand({ deps, request, body }: HookCall): Promise<Result<Answer>> {
  const arrivedAt = deps.clock.now()
  // Slack's look at our certificate is not signed, and asks for nothing.
  if (/(^|&)ssl_check=1(&|$)/.test(textOf(body))) return succeed({ status: 200 })
  if (!isFromSlack({ headers: request.headers, body }, deps.hooks.slack, arrivedAt)) return refuseHook(deps, 'slack')
  const call = slashCommand(new URLSearchParams(textOf(body)))
  if (call.kind !== 'command') return refuseHook(deps, 'slack', 'no command')
  const answer = await receive(deps, call.command, arrivedAt + SLACK_MS)
  const later: CommandAnswer = { text: 'Working on it. The answer follows here.', audience: 'asker' }
  return succeed({ status: 200, json: slackAnswer(answer ?? later) })
}

/** Slack shows nothing of this answer: what came of it goes to response_url at once. */
async function fromButton({ deps, request, body }: HookCall): Promise<Result<Answer>> {
  const arrivedAt = deps.clock.now()
  if (!isFromSlack({ headers: request.headers, body }, deps.hooks.slack, arrivedAt)) return refuseHook(deps, 'slack')
  const call = pressedButton(new URLSearchParams(textOf(body)))
  if (call.kind === 'broken') return refuseHook(deps, 'slack', 'no payload')
  if (call.kind === 'command') {
    await receiveCommand(deps, call.command, { until: arrivedAt + SLACK_MS, answerIsSent: true })
  }
  return succeed({ status: 200 })
}

/** What could not be stored is told as such: chats show nothing of other statuses than 200. */
async function receive(deps: CommandDeps, asked: AskedCommand, until: number): Promise<CommandAnswer | undefined> {
  try {
    return await receiveCommand(deps, asked, { until })
  } catch (error) {
    if (!isPortError(error)) throw error
    deps.logger.log('warn', 'command.not-stored', { error })
    return { text: NOT_STORED, audience: 'asker' }
  }
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body)
}
