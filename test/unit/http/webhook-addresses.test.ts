import { describe, expect, it } from 'vitest'
import type { RolloutDocument } from '../../../src/model/documents.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { enter } from '../../../src/rollouts/transition.ts'
import { type Claims, OTHER_GROUP, rollout, SHOP_GROUP, START, shopWorld, type World } from './fixture.ts'
import { ROLLOUTS, SERVICE } from './refusals.ts'

const ID = 'shop.web.aaaaaaaaaa'
const OLD = 'shop.web.bbbbbbbbbb'
const LIVE = `/api/v1/rollouts/${ID}`
const STRATEGY = '/api/v1/strategies/checked'
const url = 'https://checks.example.com/hooks/s3cret?sig=s3cret'
const webhook = { webhook: { url, secret: 'webhook-checks' } }
const steps = [{ weight: 10, for: '2m' }, webhook]
const waves = [{ name: 'all', clusters: ['east'], steps, bakeMs: 0 }]
const spec = { steps, bake: '30m', gates: [], waves: [{ name: 'all', steps }] }

/** A live rollout at its webhook step, one that has ended, a strategy, and the events and audit of all that. */
async function webhookWorld(): Promise<World> {
  const world = shopWorld()
  const at: Partial<Rollout> = { steps, waves, step: 1, phase: 'awaiting-approval', separateDuties: false }
  const { nextAttemptAt: _due, ...over } = rollout({
    ...at,
    id: OLD,
    phase: 'rolled-back',
    endedAt: '2030-01-01T00:00:00.000Z',
  })
  const ended: RolloutDocument = {
    schema: 1,
    kind: 'rollout',
    service: 'shop/web',
    rollout: over,
    outbox: [],
    createdAt: over.startedAt,
    updatedAt: over.startedAt,
  }
  world.store.put(ended)
  world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout({ ...at, waves })] }))
  expect((await world.call('PUT', STRATEGY, { body: spec })).status).toBe(201)
  await world.call('POST', `${LIVE}/pause`)
  await world.call('POST', `${LIVE}/resume`)
  await world.store.relayAll()
  return world
}

const READS = [LIVE, `/api/v1/rollouts/${OLD}`, '/api/v1/rollouts', ROLLOUTS, `${LIVE}/evidence`]
const ALWAYS_CUT = [SERVICE, '/api/v1/events', `${LIVE}/events`, `${LIVE}/evidence?format=svg`, '/api/v1/audit']

const PEOPLE: Readonly<Record<string, Claims>> = {
  'a viewer of the team': { roles: ['Mesh.Viewer'], groups: [SHOP_GROUP] },
  'a deployer of another team': { roles: ['Mesh.Deployer'], groups: [OTHER_GROUP] },
  'an approver of the team': { roles: ['Mesh.Approver'], groups: [SHOP_GROUP] },
  'an operator': { roles: ['Mesh.Operator'], groups: [] },
  'a deployer of the team': { roles: ['Mesh.Deployer'], groups: [SHOP_GROUP] },
  'an administrator': { roles: ['Mesh.Admin'], groups: [] },
}
const writers = ['a deployer of the team', 'an administrator']

describe('the address of a webhook', () => {
  it.each(Object.entries(PEOPLE))('in a rollout, to %s', async (who, claims) => {
    const world = await webhookWorld()
    for (const path of READS) {
      const { status, text } = await world.call('GET', path, { claims })
      expect([path, status]).toEqual([path, 200])
      expect(text).toContain('https://checks.example.com')
      expect([path, text.includes('s3cret')]).toEqual([path, writers.includes(who)])
    }
  })

  it.each(Object.entries(PEOPLE))('in a strategy, to %s', async (who, claims) => {
    const world = await webhookWorld()
    const read = await world.call('GET', STRATEGY, { claims })
    const listed = await world.call('GET', '/api/v1/strategies', { claims })
    const seen = who === 'an administrator' ? url : 'https://checks.example.com'
    expect(read.json).toMatchObject({
      steps: [{}, { webhook: { url: seen, secret: 'webhook-checks' } }],
      waves: [{ steps: [{}, { webhook: { url: seen } }] }],
    })
    expect(listed.text.includes('s3cret')).toBe(who === 'an administrator')
    // What may be sent back with If-Match is the same thing, however much of it is shown.
    expect(read.headers.etag).toBe((await world.call('GET', STRATEGY)).headers.etag)
  })

  it('is nowhere in services, events, pictures and the audit, nor in what an approver is answered', async () => {
    const world = await webhookWorld()
    for (const path of ALWAYS_CUT) {
      const { status, text } = await world.call('GET', path)
      expect([path, status, text.includes('s3cret')]).toEqual([path, 200, false])
    }
    expect((await world.call('GET', '/api/v1/audit')).text).toContain('https://checks.example.com')
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: service.rollouts.map(waits) }))
    const claims = PEOPLE['an approver of the team'] ?? {}
    const approved = await world.call('POST', `${LIVE}/approve`, { claims })
    expect(approved).toMatchObject({
      status: 200,
      json: { steps: [{}, { webhook: { url: 'https://checks.example.com' } }] },
    })
  })

  it('is whole in an export, which an import takes', async () => {
    const world = await webhookWorld()
    const exported = await world.call('GET', '/api/v1/export', { roles: ['Mesh.Operator'] })
    expect(exported.json.strategies).toMatchObject([{ name: 'checked', steps: [{}, webhook] }])
  })
})

function waits(rollout: Rollout): Rollout {
  const actor = { kind: 'schedule', id: 'schedule', name: 'schedule' } as const
  return enter(rollout, 'approval-asked', { actor, reason: 'AwaitingApproval', message: 'Waits.' }, START)
}
