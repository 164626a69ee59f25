import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterView } from '../../../src/http/views/cluster-view.ts'
import type { PlacementView } from '../../../src/http/views/service-view.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { QUICK, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

const conditionOf = (
  { conditions }: { readonly conditions: ClusterView['conditions'] },
  type: string,
): ClusterView['conditions'][number] | undefined => conditions.find((condition) => condition.type === type)

// Each on a cluster of its own, so that they do not meet.
describe('faults around a rollout', { concurrent: true, timeout: 120_000 }, () => {
  test('a cluster that cannot be reached says so, keeps its traffic, and is caught up with when it is back', async () => {
    const web = await webService(product, 'away', ['east'])
    await product.world('PATCH', '/clusters/east', { reachable: false })
    const { id } = await web.start()
    const waiting = await product.rolloutWhen(id, ({ reason }) => reason === 'Unreachable')
    expect(waiting).toMatchObject({ phase: 'preflight', weight: 0 })
    const { body } = await product.call<{ value: PlacementView[] }>('GET', `${web.path}/placements`)
    expect(body.value.map((placement) => conditionOf(placement, 'Reachable')?.status)).toEqual(['False'])
    expect(await web.shares()).toEqual({ east: { v1: 100 } })
    await product.world('PATCH', '/clusters/east', { reachable: true })
    const end = await product.rolloutWhen(id, ({ endedAt }) => endedAt !== undefined)
    expect(end.phase).toBe('succeeded')
    const after = await product.call<{ value: PlacementView[] }>('GET', `${web.path}/placements`)
    expect(after.body.value.map((placement) => conditionOf(placement, 'Reachable')?.status)).toEqual(['True'])
  })

  test('missing metrics make a gate blind: the rollout holds, and goes on when they are back', async () => {
    const web = await webService(product, 'unseen', ['west'])
    const { id } = await web.start({ ...QUICK, steps: [{ weight: 20, for: '4s' }] })
    await product.rolloutWhen(id, ({ phase }) => phase === 'progressing')
    await product.world('PATCH', '/clusters/west', { metrics: 'unavailable' })
    const blind = await product.rolloutWhen(id, ({ phase }) => phase === 'blind')
    expect(blind).toMatchObject({ weight: 20, verdicts: [{ verdict: 'blind', reason: 'QueryFailed' }] })
    expect(await web.shares()).toEqual({ west: { v1: 80, v2: 20 } })
    await product.world('PATCH', '/clusters/west', { metrics: 'up' })
    const end = await product.rolloutWhen(id, ({ endedAt }) => endedAt !== undefined)
    expect(end.phase).toBe('succeeded')
    await until(web.shares, (shares) => shares.west?.v2 === 100)
  })
})
