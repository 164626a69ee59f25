import { describe, expect, type TestContext, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { RolloutPhase } from '../../../src/model/rollout.ts'
import { followEvents } from './follow-events.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { QUICK, type WebService, webService } from './web-service.ts'

async function productOf({ onTestFinished }: TestContext): Promise<Product> {
  const product = await startProduct()
  onTestFinished(() => product.close())
  return product
}

/** Kills the product the moment it is seen in the phase, and starts it again. */
async function killIn(product: Product, id: string, phase: RolloutPhase): Promise<void> {
  const seen = await product.rolloutWhen(id, (rollout) => rollout.phase === phase || rollout.endedAt !== undefined)
  expect(seen.phase).toBe(phase)
  await product.restart('kill')
}

/** What holds at the end, however often it was killed: no transition is lost, repeated or told twice. */
async function expectEnd(product: Product, web: WebService, id: string, phase: RolloutPhase): Promise<RolloutView> {
  const end = await product.rolloutWhen(id, ({ endedAt }) => endedAt !== undefined)
  expect(end.phase).toBe(phase)
  const [, ...moves] = end.history
  for (const [index, { from }] of moves.entries()) expect(from).toBe(end.history[index]?.to)
  const told = await followEvents(product, id)
  expect(new Set(told.map((event) => event.id)).size).toBe(told.length)
  expect(told.filter(({ type }) => type === `rollout.${phase}`)).toHaveLength(1)
  const version = phase === 'succeeded' ? 'v2' : 'v1'
  expect((await web.view()).stable).toEqual({ east: version, west: version })
  await until(web.shares, (shares) => Object.values(shares).every((cluster) => cluster[version] === 100))
  return end
}

describe('kill -9', { concurrent: true, timeout: 120_000 }, () => {
  test('in preflight, in a step and while baking: the rollout still succeeds', async (context) => {
    const product = await productOf(context)
    const web = await webService(product, 'killed')
    const { id } = await web.start()
    for (const phase of ['preflight', 'progressing', 'baking'] as const) await killIn(product, id, phase)
    const end = await expectEnd(product, web, id, 'succeeded')
    expect(end.history.map(({ to, weight }) => `${to} ${weight}`)).toEqual([
      'pending 0',
      'preflight 0',
      'progressing 20',
      'progressing 60',
      'promoting 100',
      'baking 100',
      'succeeded 100',
    ])
  })

  test('while a gate rolls back: all requests are on stable again', async (context) => {
    const product = await productOf(context)
    const web = await webService(product, 'killed')
    await web.setErrors(20)
    const { id } = await web.start()
    await killIn(product, id, 'rolling-back')
    await expectEnd(product, web, id, 'rolled-back')
  })

  test('and a stop keep what was registered and removed, the rollout and the token keys', async (context) => {
    const product = await productOf(context)
    const web = await webService(product, 'killed')
    const { id } = await web.start({ ...QUICK, steps: [{ weight: 20, for: '5m' }] })
    await product.rolloutWhen(id, ({ phase }) => phase === 'progressing')
    expect((await product.call('DELETE', '/services/shop/web?wait=30s')).status).toBe(204)
    const before = await product.call('GET', '/export')
    const token = product.file.tokens.viewer
    await product.restart('stop')
    const after = await product.call('GET', '/export', { token: product.file.tokens.admin })
    expect({ ...(after.body as object), exportedAt: '' }).toEqual({ ...(before.body as object), exportedAt: '' })
    const read = await product.call<RolloutView>('GET', `/rollouts/${id}`, { token })
    expect(read).toMatchObject({ status: 200, body: { phase: 'progressing', weight: 20 } })
    const aborted = await product.call('POST', `/rollouts/${id}/abort`)
    expect(aborted.status).toBe(200)
    await expectEnd(product, web, id, 'aborted')
  })
})
