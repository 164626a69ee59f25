import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { ReceiverState } from '../../../src/sandbox/emulators/webhook/webhook-receiver.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

async function receiver(method: string, name: string, answer?: object): Promise<ReceiverState> {
  const response = await fetch(`${product.file.webhooks}/${name}`, {
    method,
    body: answer ? JSON.stringify(answer) : null,
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as ReceiverState
}

/** 20 %, then the receiver of this name, then all. */
const asking = (name: string) => ({
  candidate: 'v2',
  steps: [{ weight: 20, for: '1s' }, { webhook: { url: `${product.file.webhooks}/${name}` } }],
  bake: '1s',
  gates: [],
})

const isOver = ({ endedAt }: RolloutView) => endedAt !== undefined

describe('a rollout that asks another system', { concurrent: true, timeout: 120_000 }, () => {
  test('waits as long as it is told, and goes on when it is told pass', async () => {
    await receiver('PUT', 'patient', { verdict: 'wait', message: 'still running', retryAfter: 1 })
    const web = await webService(product, 'asks-patient')
    const { id } = await web.start(asking('patient'))
    const waiting = await product.rolloutWhen(id, ({ webhook }) => (webhook?.attempts ?? 0) > 1)
    expect(waiting).toMatchObject({ phase: 'progressing', step: 1, weight: 20, webhook: { outcome: 'waiting' } })
    expect(waiting.message).toContain('still running')
    await receiver('PUT', 'patient', { verdict: 'pass' })
    expect(await product.rolloutWhen(id, isOver)).toMatchObject({ phase: 'succeeded' })
    const { calls } = await receiver('GET', 'patient')
    expect(new Set(calls.map((call) => call.id))).toEqual(new Set([`${id.replaceAll('.', '_')}_0_1`]))
    expect(calls[0]?.body).toMatchObject({ type: 'rollout.step', data: { rollout: id, service: 'shop/asks-patient' } })
  })

  test('goes back when it is told no, with the words', async () => {
    await receiver('PUT', 'strict', { verdict: 'fail', message: 'checkout is broken' })
    const web = await webService(product, 'asks-strict')
    const { id } = await web.start(asking('strict'))
    const ended = await product.rolloutWhen(id, isOver)
    expect(ended.phase).toBe('rolled-back')
    expect(ended.history.at(-2)).toMatchObject({
      reason: 'WebhookRefused',
      message: expect.stringContaining('says fail: checkout is broken'),
    })
    expect(await web.shares()).toMatchObject({ east: { v1: 100 }, west: { v1: 100 } })
  })

  test('is not started where the address may not be called', async () => {
    const web = await webService(product, 'asks-outside')
    const steps = [{ webhook: { url: 'https://192.0.2.1/hook' } }]
    const refused = await product.call('POST', `${web.path}/rollouts`, { body: { candidate: 'v2', steps } })
    expect(refused).toMatchObject({
      status: 422,
      body: {
        errors: [{ pointer: '/steps/0/webhook/url' }],
        hint: expect.stringContaining('MESHWRIGHT_OUTSIDE_HOSTS'),
      },
    })
  })
})

test('kill -9 in the middle of a call: the same question is asked again', { timeout: 120_000 }, async () => {
  await receiver('PUT', 'slow', { verdict: 'pass', delayMs: 5000 })
  const web = await webService(product, 'asks-slow')
  const { id } = await web.start(asking('slow'))
  await until(
    () => receiver('GET', 'slow'),
    ({ calls }) => calls.length > 0,
  )
  await product.restart('kill')
  await receiver('PUT', 'slow', { verdict: 'pass' })
  expect(await product.rolloutWhen(id, isOver)).toMatchObject({ phase: 'succeeded' })
  const { calls } = await receiver('GET', 'slow')
  expect(calls.length).toBeGreaterThan(1)
  expect(new Set(calls.map((call) => call.id)).size).toBe(1)
})
