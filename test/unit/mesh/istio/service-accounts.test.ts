import { expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { inputOf, specOf } from './specs.ts'

const spec = specOf({
  workload: { labels: { app: 'web' } },
  security: { authorization: { allow: [{ name: 'a', serviceAccounts: ['shop/cart.v1'] }] } },
})
const principals = ['*/ns/shop/sa/cart.v1']
const serviceAccounts = ['shop/cart.v1']

// 1.29.0 and 1.29.1 read the dots of their field as any character (CVE-2026-39350).
it.each([
  [undefined, { principals }],
  ['1.28.6', { principals }],
  ['1.29', { principals }],
  ['1.29.0', { principals }],
  ['1.29.1', { principals }],
  ['1.29.2', { serviceAccounts }],
  ['1.30.0', { serviceAccounts }],
])('Istio %s is told service accounts as %j', (version, source) => {
  const mesh = { provider: 'istio' as const, ...(version === undefined ? {} : { version }) }
  const result = istio.render(inputOf({ spec, mesh }))
  if (!result.ok) throw new Error(result.failure.detail)
  const policy = result.steps.find(({ object }) => object.kind === 'AuthorizationPolicy')
  expect(policy?.object.spec?.rules).toEqual([{ from: [{ source }] }])
})
