import { expect, it } from 'vitest'
import { selects } from '../../../src/reconcile/label-selector.ts'

const labels = { app: 'web', version: 'v1' }
const where = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
})

it.each([
  ['nothing', undefined, false],
  ['null', null, false],
  ['an empty selector', {}, true],
  ['an empty selector, spelled out', { matchLabels: null, matchExpressions: [] }, true],
  ['one label', { matchLabels: { app: 'web' } }, true],
  ['all labels', { matchLabels: { app: 'web', version: 'v1' } }, true],
  ['another value', { matchLabels: { app: 'web', version: 'v2' } }, false],
  ['a label that is not there', { matchLabels: { track: 'x' } }, false],
  ['In', where('version', 'In', 'v1', 'v2'), true],
  ['In without the value', where('version', 'In', 'v2'), false],
  ['In of an absent label', where('track', 'In', 'x'), false],
  ['NotIn', where('version', 'NotIn', 'v2'), true],
  ['NotIn with the value', where('version', 'NotIn', 'v1'), false],
  ['NotIn of an absent label', where('track', 'NotIn', 'x'), true],
  ['Exists', where('version', 'Exists'), true],
  ['Exists of an absent label', where('track', 'Exists'), false],
  ['DoesNotExist', where('version', 'DoesNotExist'), false],
  ['DoesNotExist of an absent label', where('track', 'DoesNotExist'), true],
  ['an operator that nobody knows', where('version', 'Gt', '1'), false],
  ['labels and a requirement that fails', { matchLabels: { app: 'web' }, ...where('version', 'In', 'v2') }, false],
])('%s takes a Pod of app=web, version=v1 as Kubernetes would', (_, selector, taken) => {
  expect(selects(selector, labels)).toBe(taken)
})
