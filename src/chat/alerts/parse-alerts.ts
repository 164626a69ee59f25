import * as z from 'zod'
import { type Alert, type AlertLabels, alertOf } from './alert.ts'

export const ALERT_FORMATS = ['azure-monitor', 'alertmanager', 'grafana'] as const
export type AlertFormat = (typeof ALERT_FORMATS)[number]

const MOST_ALERTS = 100
const labels = z.record(z.string(), z.unknown()).nullish()

/**
 * Alertmanager's webhook (version 4), and Grafana's, which has the same form. Only what fires asks for something.
 * Sources: prometheus.io/docs/alerting/latest/configuration/#webhook_config, grafana.com/docs/grafana/latest/alerting.
 */
const prometheusAlerts = z.looseObject({
  alerts: z.array(
    z.looseObject({
      status: z.string(),
      labels,
      annotations: labels,
      startsAt: z.string().default(''),
      fingerprint: z.string().default(''),
    }),
  ),
})

/**
 * Azure Monitor's common alert schema; alerts of managed Prometheus have labels and annotations in their context. Source:
 * learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema.
 */
const azureAlert = z.looseObject({
  schemaId: z.literal('azureMonitorCommonAlertSchema'),
  data: z.looseObject({
    essentials: z.looseObject({
      alertId: z.string().default(''),
      originAlertId: z.string().default(''),
      alertRule: z.string().default(''),
      description: z.string().nullish(),
      monitorCondition: z.string(),
      firedDateTime: z.string().default(''),
    }),
    customProperties: labels,
    alertContext: z.looseObject({ labels, annotations: labels }).nullish().catch(null),
  }),
})

/** The alerts of a call that fire; undefined when it has not the form of its format. */
export function parseAlerts(format: AlertFormat, body: unknown): readonly Alert[] | undefined {
  return format === 'azure-monitor' ? parseAzureAlert(body) : parsePrometheusAlerts(body)
}

function parsePrometheusAlerts(body: unknown): readonly Alert[] | undefined {
  const parsed = prometheusAlerts.safeParse(body)
  if (!parsed.success) return undefined
  const firing = parsed.data.alerts.filter(({ status }) => status === 'firing').slice(0, MOST_ALERTS)
  return firing.map((alert) => {
    const own = texts(alert.labels)
    const told = texts(alert.annotations)
    // Without a fingerprint, labels are what tells alerts apart.
    const fingerprint = alert.fingerprint || JSON.stringify(Object.entries(own).sort())
    const summary = told.summary ?? told.description ?? told.message ?? ''
    return alertOf(`${fingerprint} ${alert.startsAt}`, own.alertname ?? '', summary, own)
  })
}

function parseAzureAlert(body: unknown): readonly Alert[] | undefined {
  const parsed = azureAlert.safeParse(body)
  if (!parsed.success) return undefined
  const { essentials, customProperties, alertContext } = parsed.data.data
  const { monitorCondition, originAlertId, alertId, alertRule, description, firedDateTime } = essentials
  if (monitorCondition !== 'Fired') return []
  // An alert that fires again after it was resolved keeps its id: the time tells the firings apart.
  const id = `${originAlertId || alertId} ${monitorCondition} ${firedDateTime}`
  const told = texts(alertContext?.annotations)
  const summary = told.summary ?? description ?? ''
  return [alertOf(id, alertRule, summary, both(texts(customProperties), texts(alertContext?.labels)))]
}

/**
 * What people set on the rule goes before labels, whose namespace is that of whoever was scraped. Custom properties are set
 * for us alone: there the action may have its short name.
 */
function both({ action, ...properties }: AlertLabels, { namespace, ...labels }: AlertLabels): AlertLabels {
  const isSaid = properties.service !== undefined || namespace === undefined
  const asked = action === undefined ? {} : { meshwright_action: action }
  return { ...labels, ...(isSaid ? {} : { namespace }), ...asked, ...properties }
}

function texts(values: Readonly<Record<string, unknown>> | null | undefined): AlertLabels {
  const entries = Object.entries(values ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return Object.fromEntries(entries)
}
