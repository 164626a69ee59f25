import { createHmac } from 'node:crypto'
import { type Reply, SLACK_SECRET, START, TEAMS_TOKEN, type World } from '../fixture.ts'

export const SLACK_USER = 'U2CERLKJA'
export const DANA = '33333333-0000-4000-8000-000000000001'
export const RESPONSE_URL = 'https://hooks.slack.com/commands/T1/2/3'

/** A slash command as Slack sends it, signed. */
export function slash(world: World, text: string, change: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const form = {
    team_id: 'T1',
    channel_id: 'C1',
    channel_name: 'deploys',
    user_id: SLACK_USER,
    user_name: 'dana',
    command: '/mesh',
    text,
    response_url: RESPONSE_URL,
    trigger_id: `1.2.${text}`,
    ...change,
  }
  return signed(world, '/hooks/slack/commands', new URLSearchParams(form).toString())
}

/** A press of a button in one of our messages. */
export function press(world: World, verb: string, rollout: string, triggerId = '1.2.button'): Promise<Reply> {
  const payload = {
    type: 'block_actions',
    trigger_id: triggerId,
    response_url: RESPONSE_URL,
    user: { id: SLACK_USER, username: 'dana' },
    team: { id: 'T1' },
    channel: { id: 'C1', name: 'deploys' },
    actions: [{ action_id: `meshwright.${verb}`, value: rollout, type: 'button' }],
  }
  return signed(world, '/hooks/slack/actions', new URLSearchParams({ payload: JSON.stringify(payload) }).toString())
}

export function signed(world: World, path: string, raw: string, secret = SLACK_SECRET): Promise<Reply> {
  const timestamp = String(START / 1000)
  const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${raw}`).digest('hex')}`
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': signature,
  }
  return world.call('POST', path, { token: null, raw, headers })
}

/** A mention of our webhook in a channel of Teams, signed. */
export function mention(world: World, text: string, change: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
  const activity = {
    type: 'message',
    id: `id of ${text}`,
    timestamp: new Date(START).toISOString(),
    text: `<at>mesh</at>&nbsp;${text}`,
    from: { id: '29:1', name: 'Dana', aadObjectId: DANA },
    conversation: { id: '19:abc@thread.tacv2;messageid=1' },
    channelData: { channel: { id: '19:abc@thread.tacv2', name: 'deploys' } },
    ...change,
  }
  const raw = JSON.stringify(activity)
  const authorization = `HMAC ${createHmac('sha256', Buffer.from(TEAMS_TOKEN, 'base64')).update(raw).digest('base64')}`
  return world.call('POST', '/hooks/teams', { token: null, raw, headers: { authorization } })
}
