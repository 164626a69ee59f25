import { describe, expect, it } from 'vitest'
import { rollout, SHOP_GROUP, shopWorld } from './fixture.ts'
import { SERVICE } from './refusals.ts'

describe('approvers', () => {
  it('need the role, and are of the team', async () => {
    const world = shopWorld({ rollouts: [rollout({ phase: 'awaiting-approval', resumeTo: 'progressing' })] })
    const approve = (claims: Readonly<Record<string, unknown>>) => world.call('POST', `${SERVICE}/approve`, { claims })
    expect((await approve({ roles: ['Mesh.Deployer'], groups: [SHOP_GROUP] })).status).toBe(403)
    expect((await approve({ roles: ['Mesh.Approver'] })).json.detail).toBe('Dana does not belong to team shop.')
    const approved = await approve({ roles: ['Mesh.Approver'], groups: [SHOP_GROUP] })
    expect(approved.json).toMatchObject({ phase: 'progressing', approvals: [{ name: 'Dana' }] })
  })

  it('name a step, and nothing changes when another waits', async () => {
    const at = { phase: 'awaiting-approval', resumeTo: 'progressing', step: 1 } as const
    const world = shopWorld({ rollouts: [rollout(at)] })
    const claims = { roles: ['Mesh.Approver'], groups: [SHOP_GROUP] }
    for (const verb of ['approve', 'reject']) {
      const refused = await world.call('POST', `${SERVICE}/${verb}`, { claims, body: { wave: 0, step: 0 } })
      expect(refused).toMatchObject({
        status: 409,
        json: { code: 'NotAtStep', errors: [{}, { pointer: '/step', reason: 'is 0, and the rollout is at 1' }] },
      })
    }
    expect(world.store.get('service', 'shop/web').rollouts[0]).toMatchObject(at)
    const approve = () => world.call('POST', `${SERVICE}/approve`, { claims, body: { wave: 0, step: 1, note: 'ok' } })
    expect((await approve()).json).toMatchObject({ phase: 'progressing', approvals: [{ name: 'Dana' }] })
    expect((await approve()).status).toBe(200)
    const other = await world.call('POST', `${SERVICE}/pause`, { body: { step: 1 } })
    expect(other.json).toMatchObject({ status: 400, errors: [{ pointer: '/step' }] })
  })
})
