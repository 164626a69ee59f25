import { expect, it } from 'vitest'
import type { Finding } from '../../../src/mesh/lint/finding.ts'
import { shopWorld } from './fixture.ts'
import { SERVICE } from './refusals.ts'

it('a plan passes or fails a pipeline by the worst of its findings', async () => {
  const world = shopWorld()
  const verdict = async (severity: Finding['severity'] | undefined, failOn = '') => {
    const findings = severity ? [{ code: 'X', severity, message: 'x', fix: 'y' }] : []
    Object.assign(world.deps, { plan: async (_: unknown, cluster: string) => ({ cluster, changes: [], findings }) })
    const { status, json } = await world.call('POST', `${SERVICE}/plan${failOn}`)
    return [status, json.worst, json.passed]
  }
  expect(await verdict(undefined)).toEqual([200, undefined, true])
  expect(await verdict('info', '?failOn=warning')).toEqual([200, 'info', true])
  expect(await verdict('warning')).toEqual([200, 'warning', true])
  expect(await verdict('warning', '?failOn=warning')).toEqual([200, 'warning', false])
  expect(await verdict('error')).toEqual([200, 'error', false])
  expect(await verdict('error', '?failOn=warning')).toEqual([200, 'error', false])
  expect((await world.call('POST', `${SERVICE}/plan?failOn=info`)).status).toBe(400)
})

it('a plan of a cluster passes or fails by the worst of the findings on its page', async () => {
  const world = shopWorld()
  const plan = async (_: unknown, cluster: string) => {
    return { cluster, changes: [], findings: [{ code: 'X', severity: 'warning' as const, message: 'x', fix: 'y' }] }
  }
  Object.assign(world.deps, { plan })
  const page = async (query = '') => (await world.call('GET', `/api/v1/clusters/east/plan${query}`)).json
  expect(await page()).toMatchObject({ worst: 'warning', passed: true, value: [{ service: 'shop/web' }] })
  expect(await page('?failOn=warning&limit=1')).toMatchObject({ worst: 'warning', passed: false })
  expect((await world.call('GET', '/api/v1/clusters/east/plan?failOn=info')).status).toBe(400)
})
