import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALERT_FORMATS, parseAlerts } from '../../../../src/chat/alerts/parse-alerts.ts'
import { alertmanager, azureMonitor } from './samples.ts'

describe('alerts', () => {
  it('of Alertmanager are those that fire, told apart by fingerprint and start', () => {
    const body = alertmanager([
      { labels: { alertname: 'Errors', service: 'web', namespace: 'shop', meshwright_action: 'abort' } },
      { status: 'resolved', labels: { alertname: 'Old', service: 'web', namespace: 'shop' } },
    ])
    expect(parseAlerts('alertmanager', body)).toEqual([
      {
        id: 'f00d 2030-01-01T00:00:00Z',
        rule: 'Errors',
        summary: 'Too many errors',
        service: 'shop/web',
        action: 'abort',
      },
    ])
  })

  it.each([
    ['service and namespace', { service: 'web', namespace: 'shop' }, { service: 'shop/web' }],
    ['a service with its namespace', { service: 'shop/web', namespace: 'monitoring' }, { service: 'shop/web' }],
    [
      "Istio's names, which are not those of the scraper",
      { destination_service_name: 'web', destination_service_namespace: 'shop', namespace: 'istio-system' },
      { service: 'shop/web' },
    ],
    ['a rollout', { rollout: 'shop.web.k3' }, { rollout: 'shop.web.k3' }],
    ['a cluster', { service: 'web', cluster: 'east' }, { service: 'web', cluster: 'east' }],
    [
      'what is said for us, whatever other tools say',
      { rollout: 'web', meshwright_rollout: 'shop.web.k3', cluster: 'prometheus-1', meshwright_cluster: 'east' },
      { rollout: 'shop.web.k3', cluster: 'east' },
    ],
    ['nothing of ours', { pod: 'x' }, {}],
  ])('are about %s', (_, labels, about) => {
    const [alert] = parseAlerts('grafana', alertmanager([{ labels: { alertname: 'A', ...labels } }])) ?? []
    const { id: _id, rule: _rule, summary: _summary, action, ...rest } = alert ?? { action: undefined }
    expect([action, rest]).toEqual(['hold', about])
  })

  it('of Azure Monitor name what they are about in custom properties', () => {
    const fired = azureMonitor({ service: 'web', namespace: 'shop', action: 'Abort' })
    expect(parseAlerts('azure-monitor', fired)).toMatchObject([
      { rule: 'web-errors', service: 'shop/web', action: 'abort', summary: 'Errors of web' },
    ])
    expect(parseAlerts('azure-monitor', azureMonitor({ service: 'web' }, 'Resolved'))).toEqual([])
    expect(parseAlerts('azure-monitor', azureMonitor(null))).toMatchObject([{ rule: 'web-errors' }])
  })

  it('of managed Prometheus have labels and annotations, over which custom properties go', () => {
    const labels = { destination_service_name: 'web', destination_service_namespace: 'shop', cluster: 'aks-east' }
    const context = { labels: { ...labels, namespace: 'istio-system', meshwright_action: 'abort' }, annotations: {} }
    const sent = (properties: Readonly<Record<string, string>> | null, more: object | null = context) =>
      parseAlerts('azure-monitor', azureMonitor(properties, 'Fired', '2030-01-01T00:00:00Z', more))
    expect(sent(null)).toMatchObject([
      { service: 'shop/web', cluster: 'aks-east', action: 'abort', summary: 'Errors of web' },
    ])
    expect(sent({ service: 'cart', meshwright_action: 'hold' })).toMatchObject([{ service: 'cart', action: 'hold' }])
    expect(sent({ service: 'cart', action: 'hold' })).toMatchObject([{ service: 'cart', action: 'hold' }])
    const told = { labels: { service: 'web', namespace: 'shop' }, annotations: { summary: 'Too many 5xx' } }
    expect(sent({}, told)).toMatchObject([{ service: 'shop/web', summary: 'Too many 5xx', action: 'hold' }])
    for (const other of [null, { labels: 3 }, { condition: {} }]) expect(sent({}, other)).toHaveLength(1)
  })

  it('of Azure Monitor that fire again are new ones, and told again are not', () => {
    const id = (firedDateTime: string) =>
      parseAlerts('azure-monitor', azureMonitor({}, 'Fired', firedDateTime))?.[0]?.id
    expect(id('2030-01-01T00:00:00Z')).toBe(id('2030-01-01T00:00:00Z'))
    expect(id('2030-01-01T00:00:00Z')).not.toBe(id('2030-01-02T00:00:00Z'))
  })

  it('of another form are none', () => {
    expect(parseAlerts('azure-monitor', alertmanager([]))).toBeUndefined()
    expect(parseAlerts('alertmanager', azureMonitor({}))).toBeUndefined()
    const formats = fc.constantFrom(...ALERT_FORMATS)
    fc.assert(fc.property(formats, fc.jsonValue(), (format, body) => parseAlerts(format, body) === undefined))
  })
})
