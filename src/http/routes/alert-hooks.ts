import * as z from 'zod'
import { ALERT_FORMATS, type AlertFormat, parseAlerts } from '../../chat/alerts/parse-alerts.ts'
import { receiveAlerts } from '../../chat/alerts/receive-alerts.ts'
import { missingRole } from '../../model/access.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import type { Caller } from '../../model/identity.ts'
import { authenticate } from '../authenticate.ts'
import { refuseHook } from '../hooks/refuse-hook.ts'
import { hasAlertSecret, isSignedByGrafana } from '../hooks/verify-alert.ts'
import type { SignedRequest } from '../hooks/verify-slack.ts'
import type { HttpDeps } from '../http-deps.ts'
import { type Answer, type Call, type Route, rawRoute } from '../route.ts'

/** As much as Azure Monitor sends. */
const MOST_BYTES = 256 * 1024
/** The application *AZNS AAD Webhook*, the same in every tenant. Source: learn.microsoft.com/azure/azure-monitor/alerts/action-groups. */
const AZURE_MONITOR = '461e8683-5575-4561-ac7f-899cc907d62a'
const NAMES = { 'azure-monitor': 'Azure Monitor', alertmanager: 'Alertmanager', grafana: 'Grafana' } as const

const PROOFS: Readonly<Record<AlertFormat, string>> = {
  'azure-monitor':
    'Common alert schema. Proof: an Entra token of Azure Monitor itself with the role Mesh.Deployer or Mesh.Operator (secure webhook), or a secret by Basic or Bearer.',
  alertmanager: 'Proof: a secret by Basic or Bearer.',
  grafana: 'Proof: an HMAC signature, or a secret by Basic or Bearer.',
}

const alertOutcomes = z
  .object({
    value: z.array(
      z.object({
        rule: z.string(),
        rollouts: z.array(z.object({ rollout: z.string(), will: z.enum(['pause', 'abort']) })),
        message: z.string().optional().describe('Why nothing follows'),
      }),
    ),
  })
  .meta({ id: 'AlertOutcomes' })

export const ALERT_HOOK_ROUTES: readonly Route[] = ALERT_FORMATS.map(alertRoute)

/** Webhooks of monitors: `/hooks/alerts/alertmanager` and the like. */
function alertRoute(format: AlertFormat): Route {
  const words = NAMES[format]
  return rawRoute({
    method: 'POST',
    root: 'both',
    tag: 'Hooks',
    access: 'open',
    path: `/hooks/alerts/${format}`,
    operationId: `hookAlerts${words.replace(' ', '')}`,
    summary: `Alerts of ${words}: hold or abort the rollouts of the service that they name`,
    description: PROOFS[format],
    rawBody: { mostBytes: MOST_BYTES, types: ['application/json'] },
    answers: { 202: { description: 'What will be done; nothing may have matched', schema: alertOutcomes } },
    failures: ['Unauthenticated', 'InvalidJson', 'InvalidRequest'],
    handle: (call) => fromMonitor(call, format),
  })
}

async function fromMonitor(
  { deps, request, body }: Call<Uint8Array, unknown>,
  format: AlertFormat,
): Promise<Result<Answer>> {
  const signed = { headers: request.headers, body }
  if (!(await isFromMonitor(deps, signed, format))) return refuseHook(deps, 'alerts')
  let sent: unknown
  try {
    sent = JSON.parse(new TextDecoder().decode(body))
  } catch {
    return fail('InvalidJson', 'The body is not JSON.')
  }
  const alerts = parseAlerts(format, sent)
  if (!alerts) return fail('InvalidRequest', `The body has not the form of alerts of ${format}.`)
  const value = await receiveAlerts(deps, format, alerts)
  // Monitors throw the answer away: somebody must be able to see why an alert did nothing.
  const unmatched = value.filter(({ message }) => message !== undefined).map(({ rule, message }) => ({ rule, message }))
  if (unmatched.length > 0) deps.logger.log('info', 'alert.unmatched', { from: format, alerts: unmatched.slice(0, 10) })
  return succeed({ status: 202, json: { value } })
}

async function isFromMonitor(deps: HttpDeps, signed: SignedRequest, format: AlertFormat): Promise<boolean> {
  const { alerts } = deps.hooks
  if (hasAlertSecret(signed, alerts)) return true
  if (format === 'grafana') return isSignedByGrafana(signed, alerts, deps.clock.now())
  if (format !== 'azure-monitor') return false
  const who = await authenticate(deps, signed.headers.authorization)
  return (
    who.ok && isAzureMonitor(who.caller) && missingRole(who.caller, ['Mesh.Deployer', 'Mesh.Operator']) === undefined
  )
}

/** An alert reaches every team and acts in the name of its rule, so a token of anybody else must not pass for one. */
function isAzureMonitor({ kind, appId }: Caller): boolean {
  return kind === 'application' && appId?.toLowerCase() === AZURE_MONITOR
}
