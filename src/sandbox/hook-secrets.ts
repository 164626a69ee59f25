import { randomBytes } from 'node:crypto'
import type { Table } from './emulators/emulator.ts'

/** By what callers of the hooks of this sandbox, and its own calls, prove themselves; made once, and only its owner can read them. */
export interface HookSecrets {
  /** Signing secret of a Slack app. */
  readonly slack: string
  /** Security token of a Teams outgoing webhook (base64). */
  readonly teams: string
  /** Secret of monitors. */
  readonly alerts: string
  /** Key that Event Grid sends along. */
  readonly eventGrid: string
  /** By which Meshwright signs webhooks (`whsec_…`): the other direction. */
  readonly webhook: string
}

/** The secrets that the table keeps; made at the first call. */
export function hookSecrets(table: Table): HookSecrets {
  const kept = table.get('hooks') as Partial<HookSecrets> | undefined
  const made: HookSecrets = {
    slack: randomBytes(16).toString('hex'),
    teams: randomBytes(32).toString('base64'),
    alerts: randomBytes(16).toString('hex'),
    eventGrid: randomBytes(16).toString('hex'),
    webhook: `whsec_${randomBytes(32).toString('base64')}`,
    ...kept,
  }
  table.put('hooks', made)
  return made
}

/** The app's settings for them. */
export function hookVariables({ slack, teams, alerts, eventGrid }: HookSecrets): Record<string, string> {
  return {
    MESHWRIGHT_SLACK_SIGNING_SECRET: slack,
    MESHWRIGHT_TEAMS_SECRETS: teams,
    MESHWRIGHT_ALERT_SECRETS: alerts,
    MESHWRIGHT_EVENT_GRID_KEY: eventGrid,
  }
}
