import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { RolloutDocument } from '../../../src/model/documents.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { rollout, START, serviceDocument, shopWorld, type World } from './fixture.ts'
import { ROLLOUTS, SERVICE } from './refusals.ts'

const ID = 'shop.web.aaaaaaaaaa'
const AT = '2030-01-01T00:00:00.000Z'

function ended(id: string, more: Partial<Rollout> = {}): RolloutDocument {
  const over = rollout({ id, phase: 'rolled-back', endedAt: AT, ...more })
  const [namespace, name] = id.split('.')
  return {
    schema: 1,
    kind: 'rollout',
    service: `${namespace}/${name}`,
    rollout: over,
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
  }
}

const live = () => shopWorld({ rollouts: [rollout()] })

describe('start', () => {
  it('needs the candidate alone and uses the strategy default', async () => {
    const world = shopWorld()
    const started = await world.call('POST', ROLLOUTS, { body: { candidate: 'v2' } })
    expect(started).toMatchObject({
      status: 201,
      json: {
        service: 'shop/web',
        phase: 'pending',
        step: -1,
        wave: 0,
        weight: 0,
        verdicts: [],
        targets: [{ cluster: 'east', stable: 'v1', candidate: 'v2', weight: 0, observedWeight: null }],
        strategy: 'default',
        bake: '1h',
        history: [{ reason: 'Started', actor: { kind: 'person', name: 'Dana' } }],
      },
    })
    expect(started.headers.location).toBe(`https://mesh.example/api/v1/rollouts/${started.json.id}`)
    expect((await world.call('GET', `/api/v1/rollouts/${started.json.id}`)).json.id).toBe(started.json.id)
  })

  it('takes a version that the service does not know yet', async () => {
    const world = shopWorld()
    const body = {
      candidate: { name: 'v3', labels: { version: 'v3' } },
      source: { commit: 'abc', runUrl: 'https://ci.example/1' },
    }
    expect((await world.call('POST', ROLLOUTS, { body })).json).toMatchObject({
      candidate: 'v3',
      source: { commit: 'abc' },
    })
    expect((await world.call('GET', SERVICE)).json.versions).toHaveProperty('v3')
  })

  it.each([
    ['it is over', 'succeeded', 201],
    ['it waits for a person', 'paused', 201],
    ['the time is over', 'progressing', 202],
  ] as const)('with ?wait= answers when %s', async (_, phase, status) => {
    const world = shopWorld()
    world.clock.onSleep = () => {
      if (world.clock.slept.length !== 4) return
      world.store.change('service', 'shop/web', (service) => ({
        ...service,
        rollouts: service.rollouts.map((other) => ({ ...other, phase })),
      }))
    }
    const answer = await world.call('POST', `${ROLLOUTS}?wait=30s`, { body: { candidate: 'v2' } })
    expect(answer).toMatchObject({ status, json: { phase } })
    if (status === 201) return
    const operation = new URL(answer.headers['operation-location'] ?? '').pathname
    expect((await world.call('GET', operation)).json).toMatchObject({
      status: 'Running',
      resource: `/api/v1/rollouts/${answer.json.id}`,
    })
  })
})

describe('show', () => {
  it('the last verdict of each gate on each cluster', async () => {
    const { json } = await live().call('GET', `/api/v1/rollouts/${ID}`)
    expect(json.verdicts).toMatchObject([
      {
        gate: 0,
        kind: 'errors',
        cluster: 'east',
        verdict: 'undecided',
        candidate: { good: 99, bad: 1 },
        interval: [0, 0.1],
        explanation: '1 of 100 failed.',
      },
    ])
  })

  it('a rollout that has ended, and one whose copy is still on its way', async () => {
    const world = shopWorld()
    world.store.put(ended('shop.web.bbbbbbbbbb'))
    expect((await world.call('GET', '/api/v1/rollouts/shop.web.bbbbbbbbbb')).json.phase).toBe('rolled-back')
    const archive = { id: 'a', kind: 'archive', key: `shop/web/${ID}`, value: ended(ID) } as const
    world.store.change('service', 'shop/web', (service) => ({ ...service, outbox: [archive] }))
    expect((await world.call('GET', `/api/v1/rollouts/${ID}`)).json.phase).toBe('rolled-back')
    expect((await world.call('GET', '/api/v1/rollouts/shop.web.cccccccccc')).status).toBe(404)
  })

  it('with ?wait= when it is over', async () => {
    const world = live()
    world.clock.onSleep = () => {
      world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [] }))
      world.store.put(ended(ID, { phase: 'aborted' }))
    }
    expect((await world.call('GET', `/api/v1/rollouts/${ID}?wait=10s`)).json.phase).toBe('aborted')
  })
})

describe('lists', () => {
  async function pages(world: World, path: string): Promise<string[][]> {
    const found: string[][] = []
    for (let next = path; next !== '' && found.length < 20; ) {
      const { json } = await world.call('GET', next)
      found.push(json.value.map(({ id }: Rollout) => id))
      const link = json.nextLink === undefined ? undefined : new URL(json.nextLink)
      next = link ? link.pathname + link.search : ''
    }
    return found
  }

  function busy(): World {
    const world = live()
    const other = rollout({ id: 'shop.api.aaaaaaaaaa', startedAt: '2030-01-02T00:00:00.000Z' })
    world.store.put(serviceDocument({ name: 'api', rollouts: [other] }))
    for (const letter of ['b', 'c', 'd']) world.store.put(ended(`shop.web.${letter.repeat(10)}`))
    return world
  }

  it('the live ones, the newest first', async () => {
    expect(await pages(busy(), '/api/v1/rollouts?active=true')).toEqual([['shop.api.aaaaaaaaaa', ID]])
  })

  it('the live ones before the ended ones, whatever the size of a page', async () => {
    const all = ['shop.api.aaaaaaaaaa', ID, 'shop.web.bbbbbbbbbb', 'shop.web.cccccccccc', 'shop.web.dddddddddd']
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const found = await pages(busy(), `/api/v1/rollouts?limit=${limit}`)
      expect(found.flat().toSorted(), `pages of ${limit}`).toEqual(all)
      for (const page of found) expect(page.length).toBeLessThanOrEqual(limit)
    }
  })

  it('those of one service', async () => {
    const found = await pages(busy(), `${ROLLOUTS}?limit=2`)
    expect(found.flat()).toEqual([ID, 'shop.web.bbbbbbbbbb', 'shop.web.cccccccccc', 'shop.web.dddddddddd'])
    expect((await busy().call('GET', '/api/v1/services/shop/none/rollouts')).status).toBe(404)
  })
})

describe('verbs', () => {
  it('abort is carried out inside the call, on the live rollout of the service', async () => {
    const world = live()
    const aborted = await world.call('POST', `${SERVICE}/abort`, { body: { note: 'errors in the shop' } })
    expect(aborted).toMatchObject({ status: 200, json: { phase: 'rolling-back', weight: 0, cause: 'abort' } })
    expect(aborted.json.message).toBe('Dana aborted: errors in the shop')
    expect(world.seen).toMatchObject({ carried: ['shop/web east'], advanced: ['shop/web'] })
  })

  it('are idempotent on the newest one that ended, when none is live', async () => {
    const world = shopWorld()
    world.store.put(ended('shop.web.zzzzzzzzzz', { phase: 'succeeded', endedAt: '2029-01-01T00:00:00.000Z' }))
    world.store.put(ended(ID, { phase: 'aborted' }))
    expect(await world.call('POST', `${SERVICE}/abort`)).toMatchObject({
      status: 200,
      json: { id: ID, phase: 'aborted' },
    })
    expect((await world.call('POST', `${SERVICE}/pause`)).json).toMatchObject({ status: 409, code: 'RolloutState' })
    expect(world.store.writes).toBe(0)
  })

  it('need an id when several are live, and a rollout when none ever was', async () => {
    const two = shopWorld({ rollouts: [rollout(), rollout({ id: 'shop.web.bbbbbbbbbb' })] })
    const refused = await two.call('POST', `${SERVICE}/pause`)
    expect(refused.json).toMatchObject({
      status: 409,
      code: 'RolloutState',
      hint: expect.stringContaining('/rollouts/{id}/pause'),
    })
    expect(refused.json.detail).toContain('shop.web.bbbbbbbbbb')
    expect((await shopWorld().call('POST', `${SERVICE}/pause`)).json.detail).toBe('Service shop/web has no rollout.')
    expect((await shopWorld().call('POST', '/api/v1/services/shop/none/pause')).status).toBe(404)
  })

  it('pause, resume, promote and rollback move the rollout', async () => {
    const world = live()
    const verb = async (name: string) => (await world.call('POST', `/api/v1/rollouts/${ID}/${name}`)).json.phase
    expect(await verb('pause')).toBe('paused')
    expect(await verb('pause')).toBe('paused')
    expect(await verb('resume')).toBe('progressing')
    expect(await verb('promote')).toBe('promoting')
    expect(await verb('rollback')).toBe('rolling-back')
  })

  it('retry starts anew what ended without success', async () => {
    const world = shopWorld()
    world.store.put(ended(ID))
    const retried = await world.call('POST', `${SERVICE}/retry`)
    expect(retried).toMatchObject({ status: 201, json: { phase: 'pending', candidate: 'v2', bake: '10m' } })
    expect(retried.json.id).not.toBe(ID)
    expect(retried.headers.location).toContain(retried.json.id)
  })

  it('take no field that they do not know', async () => {
    const answer = await live().call('POST', `${SERVICE}/abort`, { body: { reason: 'x' } })
    expect(answer.json).toMatchObject({ status: 400, errors: [{ pointer: '/reason' }] })
  })
})

describe('evidence', () => {
  it('holds totals, verdicts and every look, page by page', async () => {
    const world = live()
    const actor = { kind: 'gate', id: 'gate', name: 'gate' } as const
    for (let look = 0; look < 5; look += 1) {
      const data = {
        gate: 0,
        kind: 'errors',
        cluster: 'east',
        step: 0,
        weight: 10,
        counted: { fromMs: look, toMs: look + 1 },
        verdict: { verdict: 'undecided' },
      }
      const common = { time: AT, subject: `rollouts/${ID}`, actor, reason: 'R', message: 'm' }
      await world.store.appendEvent({ ...common, id: `look${look}`, type: 'rollout.look', data })
      await world.store.appendEvent({ ...common, id: `step${look}`, type: 'rollout.step' })
    }
    const seen: number[] = []
    let path = `/api/v1/rollouts/${ID}/evidence?limit=2`
    while (path !== '') {
      const { json } = await world.call('GET', path)
      expect(json).toMatchObject({ rollout: { id: ID }, totals: [{ gate: 0, cluster: 'east', maxE: 1.2 }] })
      expect(json.value.length).toBeLessThanOrEqual(2)
      seen.push(...json.value.map(({ counted }: { counted: { fromMs: number } }) => counted.fromMs))
      path = json.nextLink === undefined ? '' : json.nextLink.replace('https://mesh.example', '')
    }
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })

  it.each([
    ['?format=svg', {}],
    ['', { accept: 'image/svg+xml' }],
  ])('is a picture when asked for one: %s %o', async (query, headers) => {
    const {
      status,
      text,
      headers: answered,
    } = await live().call('GET', `/api/v1/rollouts/${ID}/evidence${query}`, {
      headers,
    })
    expect(status).toBe(200)
    expect(answered['content-type']).toBe('image/svg+xml; charset=utf-8')
    expect(text).toContain('shop/web: v1 → v2, progressing')
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    expect(answered['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`,
    )
  })

  it('is JSON where both are taken and the query says so', async () => {
    const headers = { accept: 'image/svg+xml' }
    const path = `/api/v1/rollouts/${ID}/evidence?format=json`
    expect((await live().call('GET', path, { headers })).json.rollout.id).toBe(ID)
  })
})

describe('a replay', () => {
  it('tells every look and what the rollout would have done', async () => {
    const actor = { kind: 'gate', id: 'gate', name: 'gate' } as const
    const at = new Date(START + 60_000).toISOString()
    const moved = {
      from: 'preflight',
      to: 'progressing',
      at,
      actor,
      reason: 'R',
      message: 'm',
      step: 0,
      weight: 10,
    } as const
    const ended = { ...moved, from: 'progressing', to: 'aborted', at: new Date(START + 120_000).toISOString() } as const
    const world = shopWorld({ rollouts: [rollout({ history: [moved, ended] })] })
    world.clock.time = START + 600_000
    const { status, json } = await world.call('POST', `/api/v1/rollouts/${ID}/replay`, { body: { alpha: 0.05 } })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      rollout: ID,
      ended: 'progressing',
      alpha: 0.05,
      every: '10s',
      from: at,
      would: { ends: 'passes', held: [] },
      value: expect.arrayContaining([
        { wave: 0, step: 0, verdict: expect.objectContaining({ cluster: 'east', verdict: 'blind', kind: 'errors' }) },
      ]),
    })
    expect(json.warnings[0]).toMatch(/^(\d+) of \1 looks were blind/)
    expect(world.store.writes).toBe(0)
  })

  it('costs queries, so readers may not ask for one', async () => {
    const body = {}
    const path = `/api/v1/rollouts/${ID}/replay`
    expect((await live().call('POST', path, { body, roles: ['Mesh.Viewer'] })).status).toBe(403)
    expect((await live().call('POST', path, { body: { gates: [] }, roles: ['Mesh.Deployer'] })).json).toMatchObject({
      status: 400,
      errors: [{ pointer: '/gates' }],
    })
  })
})

describe('plans', () => {
  it('tell what a rollout would come to, in the words of the API, and write nothing', async () => {
    const world = shopWorld()
    const body = { candidate: 'v2', steps: [{ weight: 10, for: '2m', approval: true }], bake: '10m' }
    const { status, json } = await world.call('POST', `${SERVICE}/rollouts/plan`, { body })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      service: 'shop/web',
      candidate: 'v2',
      changes: [{ field: 'labels.version', from: 'v1', to: 'v2' }],
      traffic: [{ cluster: 'east', requestsPerMinute: null, why: expect.stringContaining('names no metrics source') }],
      waves: [
        { steps: [{ what: '10 % for 2m', from: AT, waitsFor: ['an approver'], longerBy: '0s', ends: 'passes' }] },
      ],
      objects: '/services/shop/web/plan',
    })
    expect(json.warnings.join()).toContain('How many requests shop/web gets on east is not known')
    expect(world.store.writes).toBe(0)
  })

  it('are refused as the start would be', async () => {
    const world = shopWorld()
    const body = { candidate: 'v9' }
    expect((await world.call('POST', `${SERVICE}/rollouts/plan`, { body })).json.code).toBe('UnknownReference')
    expect((await world.call('POST', `${SERVICE}/rollouts/plan`, { body, roles: ['Mesh.Viewer'] })).status).toBe(403)
  })

  it('of a live rollout begin at its step, and anybody may see them', async () => {
    const { status, json } = await live().call('POST', `/api/v1/rollouts/${ID}/plan`, { roles: ['Mesh.Viewer'] })
    expect(status).toBe(200)
    expect(json.waves).toMatchObject([{ wave: 0, steps: [{ step: 0 }] }])
    expect((await live().call('POST', '/api/v1/rollouts/shop.web.zzzzzzzzzz/plan')).status).toBe(404)
  })
})

describe('operations', () => {
  it.each([
    ['rollout.shop.web.aaaaaaaaaa', 'Running'],
    ['cluster.east.1', 'Succeeded'],
    ['cluster.east.2', 'Running'],
    ['cluster.gone.1', 'Failed'],
    ['cluster.gone.delete', 'Succeeded'],
    ['cluster.east.delete', 'Failed'],
    ['service.shop.web.1', 'Succeeded'],
    ['service.shop.web.9', 'Running'],
    ['service.shop.gone.delete', 'Succeeded'],
  ])('%s is %s', async (id, status) => {
    const answer = await live().call('GET', `/api/v1/operations/${id}`)
    expect(answer).toMatchObject({ status: 200, json: { id, status } })
    expect(answer.headers['retry-after']).toBe(status === 'Running' ? '2' : undefined)
  })

  it.each(['cluster.east', 'cluster.east.0', 'service.shop.web', 'rollout.shop.web.zzzzzzzzzz', 'other.x.1'])(
    '%s is none',
    async (id) => {
      expect((await live().call('GET', `/api/v1/operations/${id}`)).status).toBe(404)
    },
  )
})
