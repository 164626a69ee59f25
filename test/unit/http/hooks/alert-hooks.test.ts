import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { carryOutCommand } from '../../../../src/chat/carry-out-command.ts'
import type { CommandDocument } from '../../../../src/model/documents.ts'
import { alertmanager, azureMonitor } from '../../chat/alerts/samples.ts'
import { ALERT_SECRET, clusterDocument, rollout, START, serviceDocument, shopWorld, type World } from '../fixture.ts'

const ID = 'shop.web.aaaaaaaaaa'
const secret = { authorization: `Bearer ${ALERT_SECRET}` }
const errors = (labels: Readonly<Record<string, string>>, more = {}) =>
  alertmanager([{ labels: { alertname: 'Errors', ...labels }, ...more }])

let world: World
beforeEach(() => {
  world = shopWorld({ rollouts: [rollout({ startedAt: new Date(START - 60_000).toISOString() })] })
})

const send = (body: unknown, path = '/hooks/alerts/alertmanager', headers: Readonly<Record<string, string>> = secret) =>
  world.call('POST', path, { token: null, raw: JSON.stringify(body), headers })

async function commands(): Promise<readonly CommandDocument[]> {
  return (await world.store.list('command')).value.map(({ value }) => value)
}
async function carryOut(): Promise<void> {
  for (const { name } of await commands()) await carryOutCommand(world.deps, name, { isLate: () => true })
}
const live = () => world.store.get('service', 'shop/web').rollouts[0]

describe('an alert', () => {
  it('holds the rollout of the service that it names, in the name of its rule', async () => {
    const answer = await send(errors({ service: 'web', namespace: 'shop' }))
    expect(answer).toMatchObject({
      status: 202,
      json: { value: [{ rule: 'Errors', rollouts: [{ rollout: ID, will: 'pause' }] }] },
    })
    expect((await commands())[0]?.outbox).toMatchObject([{ kind: 'work', queue: 'urgent' }])
    await carryOut()
    expect(live()).toMatchObject({ phase: 'paused', message: 'alert Errors paused: Too many errors' })
    expect(live()?.history.at(-1)?.actor).toEqual({ kind: 'alert', id: 'alertmanager/Errors', name: 'alert Errors' })
  })

  it('aborts when it says so', async () => {
    await send(errors({ rollout: ID, meshwright_action: 'abort' }))
    await carryOut()
    expect(live()?.phase).toBe('rolling-back')
  })

  it('that is told again does nothing again: who resumed the rollout is not held by it', async () => {
    await send(errors({ service: 'web' }))
    await carryOut()
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout()] }))
    expect((await send(errors({ service: 'web' }))).status).toBe(202)
    await carryOut()
    expect(await commands()).toHaveLength(1)
    expect(live()?.phase).toBe('progressing')
    await send(errors({ service: 'web' }, { startsAt: '2030-01-01T01:00:00Z' }))
    expect(await commands()).toHaveLength(2)
  })

  it.each([
    ['an unknown service', { service: 'shop/other' }, 'There is no service shop/other.'],
    ['no service', { pod: 'x' }, 'names no service'],
    ['another cluster', { service: 'shop/web', cluster: 'west' }, 'no rollout is live on cluster west'],
    ['a rollout that is not live', { rollout: 'shop.web.zzzzzzzzzz' }, 'no rollout is live'],
  ])('about %s matches nothing, and says so', async (_, labels, message) => {
    expect((await send(errors(labels))).json).toEqual({
      value: [{ rule: 'Errors', rollouts: [], message: expect.stringContaining(message) }],
    })
    expect(await commands()).toEqual([])
  })

  it('about nothing that is live here is in the log', async () => {
    await send(errors({ service: 'shop/other' }))
    expect(world.seen.logged).toEqual([expect.stringContaining('info alert.unmatched')])
  })

  it.each([
    ['the name that AKS has for it', {}, 'AKS-East'],
    ['its label in managed Prometheus', { azureMonitor: { endpoint: 'https://m', clusterLabel: 'prod-1' } }, 'prod-1'],
  ])('on a cluster that the monitor knows by %s holds what is there', async (_, metrics, cluster) => {
    const resourceId = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks-east`
    world.store.put(clusterDocument('east', { spec: { resourceId, mode: 'manage', labels: {}, metrics } }))
    await send(errors({ service: 'shop/web', cluster }))
    expect(await commands()).toHaveLength(1)
    await send(errors({ service: 'shop/web', cluster: 'aks-west' }, { startsAt: '2030-01-01T01:00:00Z' }))
    expect(await commands()).toHaveLength(1)
  })

  it('about several services of one name matches nothing', async () => {
    world.store.put(serviceDocument({ namespace: 'other' }))
    expect((await send(errors({ service: 'web' }))).json.value[0].message).toContain('Several services')
  })

  it('of Azure Monitor comes with a secret, or with a token of Azure Monitor that has a role', async () => {
    const body = azureMonitor({ service: 'web', namespace: 'shop' })
    const raw = JSON.stringify(body)
    const path = '/hooks/alerts/azure-monitor'
    const basic = { authorization: `Basic ${Buffer.from(`azure:${ALERT_SECRET}`).toString('base64')}` }
    expect((await send(body, path, basic)).json.value).toMatchObject([{ rollouts: [{ rollout: ID }] }])
    const claims = { idtyp: 'app', azp: '461e8683-5575-4561-ac7f-899cc907d62a' }
    expect((await world.call('POST', path, { raw, claims, roles: ['Mesh.Operator'] })).status).toBe(202)
    expect((await world.call('POST', path, { raw, claims, roles: ['Mesh.Viewer'] })).status).toBe(401)
    const alertmanager = '/hooks/alerts/alertmanager'
    expect((await world.call('POST', alertmanager, { raw, claims, roles: ['Mesh.Operator'] })).status).toBe(401)
  })

  it('is not what a person or a pipeline with a role sends: it would reach every team, in the name of a rule', async () => {
    const raw = JSON.stringify(azureMonitor({ service: 'web', namespace: 'shop', action: 'abort' }))
    for (const claims of [
      {},
      { idtyp: 'app', azp: '11111111-0000-4000-8000-000000000001' },
      { idtyp: 'user', azp: '461e8683-5575-4561-ac7f-899cc907d62a' },
    ]) {
      const call = { raw, claims, roles: ['Mesh.Deployer', 'Mesh.Operator'] } as const
      expect((await world.call('POST', '/hooks/alerts/azure-monitor', call)).status).toBe(401)
    }
    expect(await commands()).toEqual([])
  })

  it('of Grafana may be signed', async () => {
    const raw = JSON.stringify(errors({ service: 'web' }))
    const signature = createHmac('sha256', ALERT_SECRET).update(raw).digest('hex')
    const signed = { token: null, raw, headers: { 'x-grafana-alerting-signature': signature } }
    expect((await world.call('POST', '/hooks/alerts/grafana', signed)).status).toBe(202)
    expect((await world.call('POST', '/hooks/alerts/alertmanager', signed)).status).toBe(401)
    expect((await world.call('POST', '/hooks/alerts/grafana', { ...signed, raw: `${raw} ` })).status).toBe(401)
  })

  it('that proves nothing is refused before it is read', async () => {
    for (const body of [errors({ service: 'web' }), 'no alert']) {
      expect(await send(body, '/hooks/alerts/alertmanager', {})).toMatchObject({ status: 401 })
    }
    expect(await send('no alert')).toMatchObject({ status: 400, json: { code: 'InvalidRequest' } })
    expect(await commands()).toEqual([])
  })
})
