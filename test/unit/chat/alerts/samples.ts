interface SampleAlert {
  readonly status?: string
  readonly labels: Readonly<Record<string, string>>
  readonly fingerprint?: string
  readonly startsAt?: string
}

/** A call of Alertmanager's webhook, as its documentation has it. */
export function alertmanager(alerts: readonly SampleAlert[]): object {
  return {
    version: '4',
    groupKey: '{}:{alertname="Errors"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'meshwright',
    groupLabels: { alertname: 'Errors' },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example',
    alerts: alerts.map((alert) => ({
      status: 'firing',
      annotations: { summary: 'Too  many\nerrors' },
      startsAt: '2030-01-01T00:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example/graph',
      fingerprint: 'f00d',
      ...alert,
    })),
  }
}

/** A call of an action group in Azure Monitor's common alert schema. */
export function azureMonitor(
  customProperties: Readonly<Record<string, string>> | null,
  monitorCondition = 'Fired',
  firedDateTime = '2030-01-01T00:00:00Z',
  alertContext: object | null = {},
): object {
  const id = '/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a'
  return {
    schemaId: 'azureMonitorCommonAlertSchema',
    data: {
      essentials: {
        alertId: id,
        alertRule: 'web-errors',
        severity: 'Sev1',
        signalType: 'Metric',
        monitorCondition,
        monitoringService: 'Prometheus',
        alertTargetIDs: ['/subscriptions/s/resourcegroups/g/providers/microsoft.monitor/accounts/m'],
        configurationItems: ['m'],
        originAlertId: '1234',
        firedDateTime,
        description: 'Errors of web',
        essentialsVersion: '1.0',
        alertContextVersion: '1.0',
      },
      alertContext,
      customProperties,
    },
  }
}
