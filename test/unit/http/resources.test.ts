import { describe, expect, it } from 'vitest'
import {
  clusterDocument,
  createWorld,
  placementDocument,
  rollout,
  SHOP_GROUP,
  serviceDocument,
  shopWorld,
  teamDocument,
  WEB,
} from './fixture.ts'
import { NEW, SERVICE, service } from './refusals.ts'

describe('clusters', () => {
  const path = '/api/v1/clusters/west'
  const body = { kubeconfig: { context: 'west' }, labels: { env: 'test' } }

  it('are registered, shown, changed and let go', async () => {
    const world = createWorld()
    const created = await world.call('PUT', path, { body })
    expect(created).toMatchObject({
      status: 201,
      json: { name: 'west', mode: 'manage', generation: 1, observedGeneration: 0 },
    })
    expect(created.headers['operation-location']).toBe('https://mesh.example/api/v1/operations/cluster.west.1')
    expect((await world.call('PATCH', path, { body: { mode: 'observe' } })).json).toMatchObject({
      mode: 'observe',
      generation: 2,
    })
    expect((await world.call('GET', '/api/v1/clusters')).json.value).toHaveLength(1)
    expect((await world.call('DELETE', path)).status).toBe(204)
    expect((await world.call('GET', path)).status).toBe(404)
  })

  it('that will never answer again are let go with what was written there: ?orphan=true', async () => {
    const world = shopWorld()
    world.store.change('service', 'shop/web', (stored) => {
      return { ...stored, spec: { ...stored.spec, clusters: { matchLabels: { env: 'prod' } } } }
    })
    expect((await world.call('DELETE', '/api/v1/clusters/east?orphan=maybe')).status).toBe(400)
    expect((await world.call('DELETE', '/api/v1/clusters/east')).status).toBe(202)
    expect(world.store.get('cluster', 'east').orphan).toBeUndefined()
    expect((await world.call('DELETE', '/api/v1/clusters/east?orphan=true')).status).toBe(202)
    expect(world.store.get('cluster', 'east').orphan).toBe(true)
  })

  it('answers with ?wait= when the cluster was looked at, or 202 when it was not', async () => {
    const world = createWorld()
    world.clock.onSleep = () => {
      if (world.clock.slept.length < 3) return
      world.store.change('cluster', 'west', (cluster) => ({ ...cluster, observedGeneration: cluster.generation }))
    }
    const done = await world.call('PUT', `${path}?wait=60s`, { body })
    expect(done).toMatchObject({ status: 201, json: { observedGeneration: 1 } })
    expect(done.headers).not.toHaveProperty('operation-location')
    world.clock.onSleep = () => undefined
    const begun = world.clock.now()
    const late = await world.call('PATCH', `${path}?wait=60s`, { body: { mode: 'observe' } })
    expect(late).toMatchObject({ status: 202, json: { generation: 2, observedGeneration: 1 } })
    expect(late.headers['retry-after']).toBe('2')
    expect(world.clock.now() - begun).toBe(60_000)
    expect(Math.max(...world.clock.slept)).toBe(2000)
  })

  it('shows rights and what is missing', async () => {
    const world = shopWorld()
    world.api.denied = ['virtualservices']
    const report = await world.call('GET', '/api/v1/clusters/east/access')
    expect(report.json.allowed).toBe(false)
    expect(report.json.rules[0]).toMatchObject({ apiGroups: ['networking.istio.io'], resources: ['virtualservices'] })
    world.api.unreachable = true
    expect((await world.call('GET', '/api/v1/clusters/east/access')).json).toMatchObject({
      status: 503,
      code: 'Unavailable',
    })
  })

  it('shows what is missing of its metrics', async () => {
    const world = shopWorld()
    expect((await world.call('GET', '/api/v1/clusters/east/metrics')).json).toEqual({
      ready: false,
      reason: 'NoSource',
      message: 'The cluster names no metrics: gates on it are blind.',
    })
    expect((await world.call('GET', '/api/v1/clusters/nowhere/metrics')).json).toMatchObject({ code: 'NotFound' })
  })

  it('shows what its proxies trust', async () => {
    const world = shopWorld()
    const { status, json } = await world.call('GET', '/api/v1/clusters/east/trust')
    expect(status).toBe(200)
    expect(json).toMatchObject({ reason: 'NoMesh', bundles: [], meshCas: [] })
    expect((await world.call('GET', '/api/v1/clusters/nowhere/trust')).json).toMatchObject({ code: 'NotFound' })
  })

  it('plans every service on it, page by page', async () => {
    const world = shopWorld()
    world.store.put(serviceDocument({ name: 'api' }))
    world.store.put(serviceDocument({ name: 'off', targets: {} }))
    const first = await world.call('GET', '/api/v1/clusters/east/plan?limit=1')
    expect(first.json).toMatchObject({ cluster: 'east', mode: 'manage', value: [{ service: 'shop/api' }] })
    const next = new URL(first.json.nextLink)
    const second = await world.call('GET', next.pathname + next.search)
    expect(second.json.value).toMatchObject([{ service: 'shop/web', plan: { cluster: 'east' } }])
    expect(second.json).not.toHaveProperty('nextLink')
    expect(world.store.writes).toBe(0)
  })
})

describe('services', () => {
  it('show spec, stable and conditions of all clusters flat', async () => {
    const world = shopWorld({ targets: { east: { stable: 'v1' }, west: { stable: 'v2' } }, rollouts: [rollout()] })
    const condition = {
      type: 'Conflict',
      status: 'True',
      reason: 'Foreign',
      message: 'Flux has it.',
      lastTransitionTime: '2030-01-01T00:00:00.000Z',
    } as const
    world.store.put(placementDocument({ cluster: 'west', conditions: [condition], observedGeneration: 0 }))
    const { json } = await world.call('GET', SERVICE)
    expect(json).toMatchObject({
      namespace: 'shop',
      name: 'web',
      team: 'shop',
      stable: { east: 'v1', west: 'v2' },
      rollouts: ['shop.web.aaaaaaaaaa'],
      generation: 1,
      observedGeneration: 0,
    })
    expect(json.conditions).toMatchObject([
      { type: 'Ready', status: 'True', message: 'east: It is live.' },
      { type: 'Conflict', status: 'True', message: 'west: Flux has it.' },
    ])
  })

  it('show each placement, also of clusters that nobody has looked at and that are left', async () => {
    const world = shopWorld({ targets: { east: { stable: 'v1' }, west: { stable: 'v1' } }, leaving: ['north'] })
    const { json } = await world.call('GET', `${SERVICE}/placements`)
    expect(json.value).toMatchObject([
      {
        cluster: 'east',
        stable: 'v1',
        rung: 'stored',
        objects: [{ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace: 'shop', name: 'web' }],
      },
      { cluster: 'north', stable: null, rung: 'none', leaving: true },
      { cluster: 'west', stable: 'v1', rung: 'none', conditions: [], objects: [] },
    ])
  })

  it('warn that another initial version changes nothing', async () => {
    const world = shopWorld()
    const put = await world.call('PUT', SERVICE, service({ initialVersion: 'v2' }))
    expect(put.json.warnings[0]).toMatch(/a rollout moves stable/)
    expect(put.json.stable).toEqual({ east: 'v1' })
  })

  it('are pruned: 202 with an operation, then 404', async () => {
    const world = shopWorld()
    const gone = await world.call('DELETE', SERVICE)
    expect(gone.status).toBe(202)
    const operation = new URL(gone.headers['operation-location'] ?? '').pathname
    expect((await world.call('GET', operation)).json).toMatchObject({
      status: 'Running',
      message: 'Left to clear: east.',
    })
    expect((await world.call('GET', SERVICE)).json.deletingAt).toMatch(/^2030/)
    world.clock.onSleep = () => world.store.drop('service', 'shop/web')
    expect((await world.call('DELETE', `${SERVICE}?wait=5s`)).status).toBe(204)
    expect((await world.call('GET', operation)).json.status).toBe('Succeeded')
    expect((await world.call('GET', SERVICE)).status).toBe(404)
  })

  it('wait until every cluster carries the change', async () => {
    const world = shopWorld()
    world.clock.onSleep = () => {
      world.store.change('placement', 'shop/web/east', (placement) => ({ ...placement, observedGeneration: 2 }))
    }
    const put = await world.call('PUT', `${SERVICE}?wait=60s`, service({ adopt: true }))
    expect(put).toMatchObject({ status: 200, json: { observedGeneration: 2, generation: 2 } })
    const soon = await world.call('PUT', SERVICE, service({ adopt: false }))
    const operation = new URL(soon.headers['operation-location'] ?? '').pathname
    expect((await world.call('GET', operation)).json).toMatchObject({ status: 'Running', resource: SERVICE })
  })

  it('stop waiting when the caller goes away', async () => {
    const world = shopWorld()
    const gone = new AbortController()
    world.clock.onSleep = () => gone.abort()
    const put = await world.call('PUT', `${SERVICE}?wait=60s`, { ...service({ adopt: true }), signal: gone.signal })
    expect(put.status).toBe(202)
    expect(world.clock.slept).toHaveLength(1)
  })

  it('are planned as stored or as proposed, and nothing is kept', async () => {
    const world = shopWorld()
    world.store.put(clusterDocument('west'))
    expect((await world.call('POST', `${SERVICE}/plan`)).json.value).toMatchObject([{ cluster: 'east' }])
    const proposed = await world.call('POST', `${SERVICE}/plan`, service({ clusters: ['west'] }))
    expect(proposed.json.value).toMatchObject([{ cluster: 'east' }, { cluster: 'west' }])
    expect((await world.call('POST', `${NEW}/plan`, service({}))).json.value).toMatchObject([{ cluster: 'east' }])
    expect((await world.call('POST', `${NEW}/plan`)).status).toBe(404)
    expect((await world.call('POST', `${NEW}/plan`, service({ clusters: ['north'] }))).status).toBe(422)
    expect(world.seen.planned).toHaveLength(4)
    expect(world.store.writes).toBe(0)
  })
})

describe('lists', () => {
  it('go page by page by absolute links and end without one', async () => {
    const world = createWorld()
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.store.put(serviceDocument({ name }))
    world.store.put(serviceDocument({ namespace: 'other', name: 'x' }))
    const names: string[] = []
    let path = '/api/v1/services?namespace=shop&limit=2'
    for (let pages = 0; path !== '' && pages < 9; pages += 1) {
      const { json } = await world.call('GET', path)
      names.push(...json.value.map(({ name }: { name: string }) => name))
      const next = json.nextLink === undefined ? undefined : new URL(json.nextLink)
      if (next) expect(next.origin).toBe('https://mesh.example')
      path = next ? next.pathname + next.search : ''
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})

describe('teams, freezes and strategies', () => {
  it('are created, replaced, patched and removed', async () => {
    const world = createWorld()
    const body = { namespaces: ['bank'], groups: [SHOP_GROUP] }
    expect((await world.call('PUT', '/api/v1/teams/bank', { body })).status).toBe(201)
    const patched = await world.call('PATCH', '/api/v1/teams/bank', { body: { hosts: ['bank.example.com'] } })
    expect(patched.json).toMatchObject({ name: 'bank', generation: 2, hosts: ['bank.example.com'] })
    expect((await world.call('DELETE', '/api/v1/teams/bank')).status).toBe(204)
    expect((await world.call('GET', '/api/v1/teams/bank')).status).toBe(404)
  })

  it('the strategy default is there though nobody stored it, and comes back when that is removed', async () => {
    const world = createWorld()
    const path = '/api/v1/strategies/default'
    expect((await world.call('GET', path)).json).toMatchObject({
      builtIn: true,
      steps: [{ weight: 5 }, { weight: 25 }, { weight: 50 }],
    })
    expect((await world.call('GET', '/api/v1/strategies')).json.value).toMatchObject([
      { name: 'default', builtIn: true },
      { name: 'blue-green', builtIn: true },
      { name: 'mirror', builtIn: true },
    ])
    expect((await world.call('PATCH', path, { body: { bake: '5m' } })).json).toMatchObject({
      bake: '5m',
      generation: 1,
    })
    const { value } = (await world.call('GET', '/api/v1/strategies')).json
    expect(value).toMatchObject([{ name: 'blue-green' }, { name: 'mirror' }, { name: 'default' }])
    expect(value[2]).not.toHaveProperty('builtIn')
    expect((await world.call('DELETE', path)).status).toBe(204)
    expect((await world.call('GET', path)).json.bake).toBe('60m')
  })

  it('an approver freezes namespaces of own teams and no others', async () => {
    const world = createWorld()
    world.store.put(teamDocument('shop'))
    world.store.put(teamDocument('bank'))
    const claims = { roles: ['Mesh.Approver'], groups: [SHOP_GROUP] }
    const put = (name: string, scope: object) =>
      world.call('PUT', `/api/v1/freezes/${name}`, { body: { reason: 'night', scope }, claims })
    expect((await put('mine', { namespaces: ['shop'] })).status).toBe(201)
    expect((await put('web', { services: ['shop/web'] })).status).toBe(201)
    expect((await put('all', {})).json).toMatchObject({ status: 403, errors: [{ pointer: '/scope' }] })
    expect((await put('theirs', { namespaces: ['shop', 'bank'] })).status).toBe(403)
    expect((await put('some', { clusters: ['east'] })).status).toBe(403)
    await world.call('PUT', '/api/v1/freezes/all', { body: { reason: 'all' }, roles: ['Mesh.Operator'] })
    expect((await put('all', { namespaces: ['shop'] })).status).toBe(403)
    expect((await world.call('DELETE', '/api/v1/freezes/all', { claims })).status).toBe(403)
    expect((await world.call('DELETE', '/api/v1/freezes/mine', { claims })).status).toBe(204)
  })
})

describe('export and import', () => {
  it('bring the desired state to another place: clusters in observe, stable as it was', async () => {
    const from = shopWorld({ targets: { east: { stable: 'v2' } } })
    from.store.put(clusterDocument('old', { deletingAt: '2030-01-01T00:00:00.000Z' }))
    const exported = await from.call('GET', '/api/v1/export')
    const to = createWorld()
    const report = await to.call('POST', '/api/v1/import', { body: exported.json })
    expect(report.json).toMatchObject({
      failed: 0,
      value: [
        { kind: 'team', name: 'shop', result: 'created' },
        { kind: 'cluster', name: 'east', result: 'created' },
        { kind: 'service', name: 'shop/web', result: 'created' },
      ],
      accept: [{ cluster: 'east', plan: '/api/v1/clusters/east/plan', body: { mode: 'manage' } }],
    })
    expect((await to.call('GET', '/api/v1/clusters/east')).json.mode).toBe('observe')
    expect((await to.call('GET', SERVICE)).json.stable).toEqual({ east: 'v2' })
    const writes = to.store.writes
    expect((await to.call('POST', '/api/v1/import', { body: exported.json })).json.value).toMatchObject(
      Array(3).fill({ result: 'unchanged' }),
    )
    expect(to.store.writes).toBe(writes)
  })

  it('report what was refused and go on with the rest; where a service is already, stable stays', async () => {
    const world = shopWorld()
    const services = [
      { namespace: 'shop', name: 'lost', ...WEB, clusters: ['north'] },
      { namespace: 'shop', name: 'web', ...WEB, adopt: true, stable: { east: 'v2' } },
    ]
    const { json } = await world.call('POST', '/api/v1/import', { body: { schema: 1, services } })
    expect(json.failed).toBe(1)
    expect(json.value).toMatchObject([
      {
        name: 'shop/lost',
        result: 'failed',
        failure: { code: 'UnknownReference', errors: [{ pointer: '/clusters' }] },
      },
      { name: 'shop/web', result: 'updated', warnings: [expect.stringContaining('stable on east stays v1')] },
    ])
  })

  it('check the whole body before anything is written', async () => {
    const world = shopWorld()
    const body = {
      schema: 1,
      teams: [{ name: 'new', namespaces: ['new'], groups: [] }],
      services: [{ namespace: 'shop', name: 'a', ...WEB, stable: { east: 'v7' }, extra: 1 }],
      clusters: [
        { name: 'x', kubeconfig: { context: 'x' } },
        { name: 'x', kubeconfig: { context: 'y' } },
      ],
    }
    const { json } = await world.call('POST', '/api/v1/import', { body })
    expect(json).toMatchObject({ status: 400, code: 'InvalidRequest' })
    expect(json.errors).toContainEqual({ pointer: '/services/0/extra', reason: 'is no field here' })
    expect(world.store.writes).toBe(0)
  })

  it('take more than other bodies', async () => {
    const raw = `{"schema":1${' '.repeat(2_000_000)}}`
    expect((await createWorld().call('POST', '/api/v1/import', { raw })).status).toBe(200)
  })
})

describe('judge and capabilities', () => {
  it('judges given counts', async () => {
    const stages = [{ candidate: { good: 100, bad: 25 } }]
    const body = { test: 'limit', alpha: 0.01, limitPercent: 1, stages }
    const { json } = await createWorld().call('POST', '/api/v1/judge', { body, roles: ['Mesh.Viewer'] })
    expect(json.verdict).toBe('harm')
  })

  it.each(['harm', 'ratio'])('compares the versions by the test %s', async (test) => {
    const stages = [{ share: 0.1, candidate: { good: 250, bad: 50 }, stable: { good: 870, bad: 30 } }]
    const { status, json } = await createWorld().call('POST', '/api/v1/judge', { body: { test, alpha: 0.01, stages } })
    expect([status, json.verdict]).toEqual([200, 'harm'])
  })

  it('names what is asked for beside what is wrong', async () => {
    const body = { test: 'limit', alpha: 0.01, stages: [{ candidate: { good: 1, bad: 0 } }] }
    const { json } = await createWorld().call('POST', '/api/v1/judge', { body })
    expect(json.errors).toEqual([{ pointer: '/limitPercent', reason: 'the test limit needs limitPercent' }])
  })

  it('shows what each mesh can do', async () => {
    const { json } = await createWorld().call('GET', '/api/v1/capabilities?provider=linkerd')
    expect(json.value).toMatchObject([
      {
        provider: 'linkerd',
        built: true,
        features: expect.arrayContaining([expect.objectContaining({ support: 'refused' })]),
        gates: expect.arrayContaining([
          expect.objectContaining({
            name: 'linkerd-errors',
            kind: 'errors',
            all: expect.stringContaining('[{{window}}]'),
            good: expect.stringContaining('classification="success"'),
          }),
        ]),
      },
    ])
  })

  it('shows which thresholds a ready-made latency gate can have', async () => {
    const { json } = await createWorld().call('GET', '/api/v1/capabilities?provider=gateway-api')
    const { value } = json as { value: { gates: { name: string; edgesMs?: number[] }[] }[] }
    expect(value[0]?.gates.find(({ name }) => name === 'nginx-latency')?.edgesMs).toContain(250)
  })
})
