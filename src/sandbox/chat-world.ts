import { type Emulator, type EmulatorContext, jsonResponse, type Storage } from './emulators/emulator.ts'
import { forgetMessages, keptMessages } from './emulators/kept-messages.ts'
import { slackEmulator } from './emulators/slack/slack.ts'
import { teamsWorkflowEmulator } from './emulators/teams/teams.ts'

/** Credentials of the emulated chat services: known to all, good for nothing else. */
export const SANDBOX_SLACK_TOKEN = 'xoxb-meshwright-sandbox'
export const SANDBOX_SLACK_CHANNEL = 'C0MESHSHOP'
const TEAMS_HOST = 'prod-01.westeurope.logic.azure.com'
const TEAMS_SIGNATURE = 'meshwright-sandbox-signature'
/** Name of the vault's secret that holds the address of the emulated Teams workflow, and the address. */
export const SANDBOX_TEAMS_SECRET = 'teams-shop'
export const SANDBOX_TEAMS_WEBHOOK = `https://${TEAMS_HOST}/workflows/${'c0ffee00'.repeat(4)}/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${TEAMS_SIGNATURE}`

const tables = (storage: Storage) => ({ slack: storage.table('chat-slack'), teams: storage.table('chat-teams') })

/** Slack and a Teams workflow, by the public hosts that they stand in for. */
export function chatHosts(context: EmulatorContext): Readonly<Record<string, Emulator>> {
  const { slack: messages, teams } = tables(context.storage)
  const slack = slackEmulator(context, { botToken: SANDBOX_SLACK_TOKEN, messages })
  return {
    'slack.com': slack.api,
    'hooks.slack.com': slack.hooks,
    [TEAMS_HOST]: teamsWorkflowEmulator(context, { signature: TEAMS_SIGNATURE, messages: teams }),
  }
}

/** What the channels got, the newest 200 of each, the oldest first: `GET /world/chat`; `DELETE` forgets it. */
export function chatControl(storage: Storage): Emulator {
  const { slack, teams } = tables(storage)
  return async ({ method }) => {
    if (method === 'GET') return jsonResponse(200, { slack: keptMessages(slack), teams: keptMessages(teams) })
    if (method !== 'DELETE') return jsonResponse(405, { error: 'the method is not allowed here' })
    forgetMessages(slack)
    forgetMessages(teams)
    return { status: 204, headers: {}, body: '' }
  }
}
