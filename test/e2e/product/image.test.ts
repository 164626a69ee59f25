import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Plan } from '../../../src/reconcile/plan.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { QUICK, type WebService, webService } from './web-service.ts'

let product: Product
let web: WebService

beforeAll(async () => {
  product = await startProduct()
  web = await webService(product, 'imaged', ['east'])
})
afterAll(() => product.close())

interface WorldVersions {
  readonly versions: Readonly<Record<string, { readonly pods: number; readonly image?: string }>>
  readonly observed: unknown
}

/** Pods by version, as they are on the cluster. */
async function pods(): Promise<Readonly<Record<string, number>>> {
  const { versions } = await product.world<WorldVersions>('GET', `/clusters/east${web.path}`)
  return Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, version.pods]))
}

function release(name: string, tag: string): object {
  return { ...QUICK, candidate: { name, image: `registry.example.com/imaged:${tag}`, replicas: 'weight' } }
}

test('an image is released beside stable, which goes when the bake is over', { timeout: 120_000 }, async () => {
  const { id } = await web.start({ ...release('v3', '3'), steps: [{ weight: 60, for: '2s' }] })
  const plan = await product.call<{ value: readonly Plan[] }>('POST', `${web.path}/plan`)
  expect(plan.body.value[0]?.changes.map(({ ref }) => `${ref.kind} ${ref.name}`)).toContain('Deployment imaged-v3')
  const shifting = await product.rolloutWhen(id, ({ weight }) => weight === 60)
  expect(shifting.phase).toBe('progressing')
  await until(web.shares, ({ east }) => east?.v3 === 60)
  // Two of stable's two Pods are needed for 60 per cent, and were there before the share.
  expect(await pods()).toMatchObject({ v1: 2, v3: 2 })
  await product.rolloutWhen(id, ({ phase }) => phase === 'succeeded')
  expect(await until(pods, ({ v1 }) => v1 === 0)).toMatchObject({ v1: 0, v3: 2 })
  expect(await web.shares()).toEqual({ east: { v3: 100 } })
  expect((await web.view()).versions.v3).toEqual({ labels: { version: 'v3' }, workload: 'imaged-v3' })
})

test('an image that fails goes back, its Pods too; and a retry makes them again', { timeout: 120_000 }, async () => {
  const { id } = await web.start(release('v4', '4-errors-30'))
  const end = await product.rolloutWhen(id, ({ phase }) => phase === 'rolled-back')
  expect(end.reason).toBe('LimitExceeded')
  expect(await until(pods, ({ v4 }) => v4 === 0)).toMatchObject({ v3: 2, v4: 0 })
  expect(await web.shares()).toEqual({ east: { v3: 100 } })
  const retried = await product.call<{ id: string }>('POST', `/rollouts/${id}/retry`)
  expect(retried.status).toBe(201)
  await until(pods, ({ v4 = 0 }) => v4 > 0)
  await product.call('POST', `/rollouts/${retried.body.id}/abort`)
  await until(pods, ({ v4 }) => v4 === 0)
})

test('a name that is taken on a cluster is refused with the way out', async () => {
  const answer = await product.call('POST', `${web.path}/rollouts`, { body: release('v1', '5') })
  expect(answer).toMatchObject({ status: 422, body: { code: 'InvalidCombination' } })
  await product.world('PUT', `/clusters/east${web.path}/versions/v9`, { pods: 0 })
  const taken = await product.call('POST', `${web.path}/rollouts`, { body: release('v9', '9') })
  expect(taken).toMatchObject({
    status: 422,
    body: { code: 'ImageRefused', errors: [{ reason: expect.stringContaining('WorkloadExists on east') }] },
  })
})

test('a service that goes leaves the Pods that serve it', { timeout: 60_000 }, async () => {
  expect((await product.call('DELETE', web.path)).status).toBe(202)
  await until(
    () => product.call('GET', web.path),
    ({ status }) => status === 404,
  )
  expect(await pods()).toMatchObject({ v3: 2 })
  expect(await web.shares()).toEqual({ east: {} })
})
