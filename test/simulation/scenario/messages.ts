import { createHmac } from 'node:crypto'
import { SANDBOX_PEOPLE, type SandboxPerson } from '../../../src/sandbox/identities.ts'
import { HOOKS } from '../azure-side.ts'
import type { Simulation } from '../simulation.ts'

/** Slack users that the team maps to its people. */
export const SLACK_USERS: Readonly<Record<string, string>> = {
  U0ADMIN: SANDBOX_PEOPLE.admin.oid,
  U0OPERATOR: SANDBOX_PEOPLE.operator.oid,
  U0DEPLOYER: SANDBOX_PEOPLE.deployer.oid,
}

/** What somebody types in a chat; `id` is the message's own. */
export interface Message {
  readonly id: string
  readonly by: SandboxPerson
  readonly text: string
}

type Sent = Promise<number | undefined>

/** A slash command as Slack sends it; resolves with the status, undefined when no answer came. */
export function slash({ client, time }: Simulation, { id, by, text }: Message, secret: string = HOOKS.slack): Sent {
  const raw = new URLSearchParams({
    team_id: 'T1',
    channel_id: 'C1',
    channel_name: 'deploys',
    user_id: `U0${by.toUpperCase()}`,
    user_name: by,
    command: '/mesh',
    text,
    response_url: `https://hooks.slack.com/commands/T1/${id}/x`,
    trigger_id: id,
  }).toString()
  const timestamp = String(Math.floor(time.now() / 1000))
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${raw}`).digest('hex')
  return client.post('/hooks/slack/commands', raw, {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature}`,
  })
}

/** A mention as an outgoing webhook of Teams sends it. */
export function mention({ client, time }: Simulation, { id, by, text }: Message, token: string = HOOKS.teams): Sent {
  const raw = JSON.stringify({
    type: 'message',
    id,
    timestamp: new Date(time.now()).toISOString(),
    from: { id: '29:1', name: by, aadObjectId: SANDBOX_PEOPLE[by].oid },
    conversation: { id: '19:c@thread.tacv2', conversationType: 'channel' },
    text: `<at>Meshwright</at> ${text}`,
  })
  const signature = createHmac('sha256', Buffer.from(token, 'base64')).update(raw).digest('base64')
  return client.post('/hooks/teams', raw, { 'content-type': 'application/json', authorization: `HMAC ${signature}` })
}

/** A firing alert as Alertmanager sends it. */
export function alert({ client }: Simulation, id: string, labels: Readonly<Record<string, string>>): Sent {
  const alerts = [{ status: 'firing', labels: { alertname: id, ...labels }, fingerprint: id, startsAt: '2026-03-01' }]
  return client.post('/hooks/alerts/alertmanager', JSON.stringify({ version: '4', alerts }), {
    'content-type': 'application/json',
    authorization: `Bearer ${HOOKS.alerts}`,
  })
}
