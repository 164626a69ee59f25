import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertmanager, azureMonitor } from '../../unit/chat/alerts/samples.ts'
import { alert } from './chat-client.ts'
import { type Product, startProduct } from './product.ts'
import { SLOW, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

async function started(name: string) {
  const web = await webService(product, name, ['east'])
  const { id } = await web.start(SLOW)
  await product.rolloutWhen(id, ({ weight }) => weight === 20)
  return { web, id }
}

describe('alerts', { concurrent: true, timeout: 120_000 }, () => {
  test('of Alertmanager abort the live rollout of the service that they name', async () => {
    const { web, id } = await started('alerted')
    const labels = { alertname: 'Errors', service: web.name, namespace: 'shop', meshwright_action: 'abort' }
    const body = alertmanager([{ labels }])
    expect((await alert(product, 'alertmanager', body, 'not-the-secret')).status).toBe(401)
    const answer = await alert(product, 'alertmanager', body)
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      202,
      { value: [{ rule: 'Errors', rollouts: [{ rollout: id, will: 'abort' }] }] },
    ])
    const end = await product.rolloutWhen(id, ({ phase }) => phase === 'aborted')
    expect(end.history.find(({ reason }) => reason === 'Aborted')?.actor).toMatchObject({
      kind: 'alert',
      name: 'alert Errors',
    })
    expect(await web.shares()).toMatchObject({ east: { v1: 100 } })
  })

  test('of Azure Monitor hold it, once for each firing', async () => {
    const { web, id } = await started('watched')
    const body = azureMonitor({ service: web.name, namespace: 'shop' })
    expect((await alert(product, 'azure-monitor', body)).status).toBe(202)
    await product.rolloutWhen(id, ({ phase }) => phase === 'paused')
    await product.call('POST', `/rollouts/${id}/resume`)
    expect((await alert(product, 'azure-monitor', body, product.file.tokens.operator)).status).toBe(401)
    expect((await alert(product, 'azure-monitor', body)).status).toBe(202)
    const later = azureMonitor({ service: web.name, namespace: 'shop' }, 'Fired', '2030-01-01T01:00:00Z')
    await alert(product, 'azure-monitor', later)
    const { history } = await product.rolloutWhen(id, ({ phase }) => phase === 'paused')
    expect(history.filter(({ reason }) => reason === 'PausedByHand')).toHaveLength(2)
  })

  test('about what nobody knows match nothing', async () => {
    const labels = { alertname: 'Errors', service: 'nobody', namespace: 'shop' }
    const answer = await alert(product, 'grafana', alertmanager([{ labels }]))
    expect([answer.status, answer.text]).toEqual([202, expect.stringContaining('There is no service shop/nobody')])
  })
})
