import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { PlacementView } from '../../../src/http/views/service-view.ts'
import { followEvents } from './follow-events.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { QUICK, SLOW, type WebService, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

const isOver = ({ endedAt }: RolloutView) => endedAt !== undefined

async function isSplit(web: WebService, v2: number): Promise<void> {
  const expected = v2 === 0 ? { v1: 100 } : v2 === 100 ? { v2: 100 } : { v1: 100 - v2, v2 }
  await until(web.shares, (shares) =>
    Object.values(shares).every((cluster) => JSON.stringify(cluster) === JSON.stringify(expected)),
  )
}

describe('the main job over HTTP', { concurrent: true, timeout: 120_000 }, () => {
  test('a registered service is placed on its clusters, with all requests on its first version', async () => {
    const web = await webService(product, 'placed')
    const { body } = await product.call<{ value: PlacementView[] }>('GET', `${web.path}/placements`)
    expect(body.value.map(({ cluster, stable, rung }) => ({ cluster, stable, rung }))).toEqual([
      { cluster: 'east', stable: 'v1', rung: 'stored' },
      { cluster: 'west', stable: 'v1', rung: 'stored' },
    ])
    for (const { objects } of body.value)
      expect(objects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
        'DestinationRule placed',
        'VirtualService placed',
      ])
    await isSplit(web, 0)
  })

  test('a good candidate is promoted on every cluster, and its events tell how', async () => {
    const web = await webService(product, 'good')
    const { id } = await web.start()
    const events = followEvents(product, id)
    const middle = await product.rolloutWhen(id, ({ weight }) => weight === 60)
    expect(middle.history.map(({ to, weight }) => `${to} ${weight}`)).toEqual([
      'pending 0',
      'preflight 0',
      'progressing 20',
      'progressing 60',
    ])
    await isSplit(web, 60)
    const end = await product.rolloutWhen(id, isOver)
    expect(end).toMatchObject({ phase: 'succeeded', reason: 'Baked', weight: 100 })
    expect(end.verdicts.map(({ cluster }) => cluster)).toEqual(['east', 'west', '*'])
    for (const { candidate } of end.verdicts) expect(candidate.good + candidate.bad).toBeGreaterThan(50)
    expect((await web.view()).stable).toEqual({ east: 'v2', west: 'v2' })
    await isSplit(web, 100)
    const told = await events
    expect(new Set(told.map((event) => event.id)).size).toBe(told.length)
    const types = told.map(({ type }) => type).filter((type) => type !== 'rollout.look')
    expect(types).toEqual([
      'rollout.started',
      'rollout.preflight',
      'rollout.progressing',
      'rollout.step',
      'rollout.promoting',
      'rollout.baking',
      'rollout.succeeded',
    ])
    expect(told.filter(({ type }) => type === 'rollout.look').length).toBeGreaterThanOrEqual(6)
    const ids = (followed: typeof told) => followed.map((event) => event.id)
    expect(ids(await followEvents(product, id, told[4]))).toEqual(ids(told.slice(5)))
  })

  test('a failing candidate is rolled back by its gate alone, which says what it counted', async () => {
    const web = await webService(product, 'failing')
    await web.setErrors(20)
    const { id } = await web.start()
    const end = await product.rolloutWhen(id, isOver)
    expect(end).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded', weight: 0 })
    expect(end.message).toMatch(
      /^gate errors on (east|west|all clusters together): \d+ of \d+ requests failed .* the limit is 1 %/,
    )
    expect(end.history.at(-1)?.actor.kind).toBe('gate')
    expect((await web.view()).stable).toEqual({ east: 'v1', west: 'v1' })
    await isSplit(web, 0)
  })

  test('a rollout is paused and resumed; an abort is on the clusters when its call answers', async () => {
    const web = await webService(product, 'verbs')
    const { id } = await web.start(SLOW)
    await product.rolloutWhen(id, ({ phase }) => phase === 'progressing')
    const verb = (name: string, note: string) =>
      product.call<RolloutView>('POST', `${web.path}/${name}`, { body: { note }, as: 'deployer' })
    const paused = await verb('pause', 'lunch')
    expect(paused).toMatchObject({ status: 200, body: { phase: 'paused', weight: 20 } })
    expect(paused.body.history.at(-1)).toMatchObject({
      actor: { name: 'Dana Deployer' },
      message: expect.stringContaining('lunch'),
    })
    const resumed = await verb('resume', 'back')
    expect(resumed).toMatchObject({ status: 200, body: { phase: 'progressing', weight: 20 } })
    await isSplit(web, 20)
    const aborted = await verb('abort', 'enough')
    // On a slow machine the routes are not only written but live by now.
    expect(aborted).toMatchObject({
      status: 200,
      body: { weight: 0, phase: expect.stringMatching(/rolling-back|aborted/) },
    })
    const { body } = await product.call<{ value: PlacementView[] }>('GET', `${web.path}/placements`)
    expect(body.value.map(({ weights }) => [weights.v1, weights.v2 ?? 0])).toEqual([
      [100, 0],
      [100, 0],
    ])
    await isSplit(web, 0)
    const end = await product.rolloutWhen(id, isOver)
    expect(end).toMatchObject({ phase: 'aborted', cause: 'abort' })
    expect(await verb('abort', 'again')).toMatchObject({ status: 200, body: { id, phase: 'aborted' } })
    expect(await verb('resume', 'again')).toMatchObject({ status: 409, body: { code: 'RolloutState' } })
  })

  test('?wait= answers 202 with an operation while it goes on, 200 at its end', async () => {
    const web = await webService(product, 'waiting')
    const started = await product.call<RolloutView>('POST', `${web.path}/rollouts?wait=1s`, { body: QUICK })
    expect(started.status).toBe(202)
    expect(started.headers.get('retry-after')).toBe('2')
    const operation = new URL(started.headers.get('operation-location') ?? '')
    const asked = await product.call('GET', operation.pathname.replace('/api/v1', ''))
    expect(asked).toMatchObject({ status: 200, body: { status: expect.stringMatching(/^(NotStarted|Running)$/) } })
    const end = await product.call<RolloutView>('GET', `/rollouts/${started.body.id}?wait=60s`)
    expect(end).toMatchObject({ status: 200, body: { phase: 'succeeded' } })
    const over = await product.call('GET', operation.pathname.replace('/api/v1', ''))
    expect(over).toMatchObject({ status: 200, body: { status: 'Succeeded' } })
  })

  test('a repeated request with the same idempotency key starts nothing twice, not even after the end', async () => {
    const web = await webService(product, 'repeated')
    const start = (body: object) =>
      product.call<RolloutView>('POST', `${web.path}/rollouts`, { body, headers: { 'idempotency-key': 'build-1' } })
    const [one, two] = await Promise.all([start(QUICK), start(QUICK)])
    expect([one?.status, two?.status]).toEqual([201, 201])
    expect(two?.body.id).toBe(one?.body.id)
    const id = one?.body.id ?? ''
    await product.rolloutWhen(id, isOver)
    expect(await start(QUICK)).toMatchObject({ status: 201, body: { id, phase: 'succeeded' } })
    expect(await start(SLOW)).toMatchObject({ status: 409, body: { code: 'IdempotencyMismatch' } })
    const { body } = await product.call<{ value: RolloutView[] }>('GET', `${web.path}/rollouts`)
    expect(body.value.map((rollout) => rollout.id)).toEqual([id])
  })
})
