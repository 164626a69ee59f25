import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Product, startProduct } from './product.ts'
import { QUICK, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

interface Plan {
  readonly traffic: readonly { readonly cluster: string; readonly requestsPerMinute: number | null }[]
  readonly waves: readonly { readonly steps: readonly { readonly what: string }[] }[]
}

interface Replay {
  readonly would: { readonly ends: string; readonly harm?: { readonly step: number; readonly reason: string } }
  readonly value: readonly unknown[]
  readonly warnings: readonly string[]
}

test('a release is planned from the traffic that there is, and its past is judged by other gates', {
  timeout: 120_000,
}, async () => {
  const web = await webService(product, 'foresight')
  await web.setErrors(20)
  const release = { ...QUICK, gates: [{ kind: 'errors', limitPercent: 50, comparison: false }] }

  const planned = await product.call<Plan>('POST', `${web.path}/rollouts/plan`, { body: release })
  expect(planned.status).toBe(200)
  expect(planned.body.traffic.map(({ cluster }) => cluster)).toEqual(['east', 'west'])
  for (const { requestsPerMinute } of planned.body.traffic) expect(requestsPerMinute).toBeGreaterThan(0)
  expect(planned.body.waves[0]?.steps.map(({ what }) => what)).toEqual(['20 % for 2s', '60 % for 2s'])

  const { id } = await web.start(release)
  const rest = await product.call<Plan>('POST', `/rollouts/${id}/plan`)
  expect(rest.status).toBe(200)
  const end = await product.rolloutWhen(id, ({ endedAt }) => endedAt !== undefined)
  expect(end.phase).toBe('succeeded')

  const replay = (body: object) => product.call<Replay>('POST', `/rollouts/${id}/replay`, { body })
  const own = await replay({})
  expect(own.body).toMatchObject({ would: { ends: 'passes' }, warnings: [] })
  const strict = await replay({ gates: [{ kind: 'errors', limitPercent: 1 }] })
  expect(strict.body.would).toMatchObject({ ends: 'rolls-back', harm: { reason: 'LimitExceeded' } })
  expect(strict.body.value.length).toBeLessThan(own.body.value.length)
})
