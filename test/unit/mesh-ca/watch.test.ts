import { beforeEach, describe, expect, it } from 'vitest'
import { putMeshCa } from '../../../src/mesh-ca/put-mesh-ca.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { aSpec, createWorld, DAY, HOUR, OPERATOR, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const warnings = () =>
  world.store.kept
    .filter(({ type }) => type === 'certificate.near-expiry')
    .map(({ data }) => [data?.what, data?.daysLeft, data?.page])

describe('ends', () => {
  it('are told of 60 to 1 days before, once each, of what ends first; to be paged from seven on', async () => {
    await world.established({ root: { kind: 'vault-key', validity: '365d' }, intermediate: { validity: '400d' } })
    await world.act('pause')
    // Nobody can renew: the vault refuses.
    world.vault.interrupt = (call) => {
      if (!call.startsWith('get')) throw new Error('nothing may be asked')
    }
    world.store.change('cluster', 'east', (east) => ({ ...east, spec: { ...east.spec, mode: 'observe' } }))
    world.store.change('mesh-ca', 'east-ca', ({ rotation: _rotation, ...ca }) => ({
      ...ca,
      history: [{ ...held, endedAt: '2099-01-01T00:00:00Z' }],
    }))
    for (let day = 0; day < 366; day += 1) {
      world.pass(DAY)
      await world.advance()
      await world.advance()
    }
    const of = (what: string) => warnings().filter(([one]) => one === what)
    expect(of('root').map(([, daysLeft]) => daysLeft)).toEqual([59, 29, 13, 6, 2, 0])
    expect(of('signer').map(([, daysLeft]) => daysLeft)).toEqual([59, 29, 13, 6, 2, 0])
    expect(of('root').map(([, , page]) => page)).toEqual([false, false, false, true, true, true])
    expect(world.document().conditions.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False' })
  })
})

const held = {
  id: 'east-ca.held',
  what: 'root',
  phase: 'failed',
  direction: 'on',
  reason: 'ChangedElsewhere',
  message: 'm',
  actor: OPERATOR.caller,
  startedAt: '2030-01-01T00:00:00Z',
  phaseSince: '2030-01-01T00:00:00Z',
  attempts: 0,
} as const

describe('a rotation begins to write', () => {
  it('while no freeze holds its cluster, and only a freeze of configuration does', async () => {
    await world.established()
    const freeze = (name: string, spec: object) =>
      world.store.put({
        schema: 1,
        kind: 'freeze',
        name,
        outbox: [],
        generation: 1,
        idempotency: [],
        createdAt: '',
        updatedAt: '',
        spec: { reason: 'peak', scope: {}, covers: ['configuration'], ...spec },
      })
    freeze('others', { scope: { clusters: ['west'] } })
    freeze('rollouts', { covers: ['rollouts'] })
    freeze('past', { until: '2029-01-01T00:00:00Z' })
    freeze('peak', { scope: { clusters: ['east'] } })
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()).toMatchObject({
      phase: 'switching',
      reason: 'Frozen',
      message: 'Freeze peak holds: peak.',
    })
    world.store.drop('freeze', 'peak')
    world.pass(HOUR)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'Written' })
  })

  it('passes a freeze when less than seven days are left, and says so', async () => {
    await world.established({ intermediate: { key: 'P-256', validity: '365d' }, renewBefore: '1h' })
    world.store.put({
      schema: 1,
      kind: 'freeze',
      name: 'peak',
      outbox: [],
      generation: 1,
      idempotency: [],
      createdAt: '',
      updatedAt: '',
      spec: { reason: 'peak', scope: {}, covers: ['configuration'] },
    })
    world.pass(359 * DAY)
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()?.writtenAt).toBeDefined()
    const asked = world.store.kept.filter(({ type }) => type === 'certificate.phase').at(-1)
    expect(asked?.data?.phase).toBe('switching')
    const said = world.store.kept.filter(({ type }) => type === 'certificate.freeze-passed')
    expect(said).toHaveLength(1)
    expect(said[0]).toMatchObject({ reason: 'EndsSoon', data: { phase: 'switching', passed: ['Frozen'] } })
    expect(said[0]?.message).toContain('Freeze peak holds: peak.')
  })

  it('says for each phase that a root which ends soon passes a freeze, once, and waits for it where nothing rests on that root', async () => {
    await world.established({ root: { kind: 'vault-key', validity: '365d' }, intermediate: { key: 'P-256' } })
    world.store.put({
      schema: 1,
      kind: 'freeze',
      name: 'peak',
      outbox: [],
      generation: 1,
      idempotency: [],
      createdAt: '',
      updatedAt: '',
      spec: { reason: 'peak', scope: {}, covers: ['configuration'] },
    })
    world.store.change('mesh-ca', 'east-ca', (ca) => ({
      ...ca,
      history: [{ ...held, endedAt: '2099-01-01T00:00:00Z' }],
    }))
    world.pass(360 * DAY)
    world.mesh.renew(world.now(), true)
    world.see()
    await world.rotate('root')
    await world.until('narrowing', HOUR)
    await world.advance()
    // Nothing rests on the former root any more: that it ends is no hurry.
    expect(world.rotation()).toMatchObject({ phase: 'narrowing', reason: 'Frozen' })
    const phases = () =>
      world.store.kept.flatMap(({ type, data }) => (type === 'certificate.freeze-passed' ? [data?.phase] : []))
    expect(phases()).toEqual(['widening', 'switching'])
    world.store.drop('freeze', 'peak')
    await world.until(undefined, HOUR)
    expect(world.rotation()?.phase).toBe('succeeded')
    world.pass(DAY)
    await world.rotate('intermediate')
    await world.until(undefined, HOUR)
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(phases()).toHaveLength(2)
  })

  it('on one cluster a day', async () => {
    await world.established()
    const west = { cluster: 'west', secrets: { rootCert: 'w1', caCert: 'w2', certChain: 'w3', caKey: 'w4' } }
    const put = await putMeshCa(world.deps, 'west-ca', aSpec(west), OPERATOR)
    expect(put.ok).toBe(true)
    await world.advance('west-ca')
    await world.rotate('intermediate')
    await world.advance()
    await rotateCa(world.deps, 'west-ca', { what: 'intermediate' }, OPERATOR)
    await world.advance('west-ca')
    expect(world.document('west-ca').rotation).toMatchObject({ phase: 'switching', reason: 'WaitsForTurn' })
    world.pass(DAY + HOUR)
    await world.advance('west-ca')
    expect(world.document('west-ca').rotation).toMatchObject({ reason: 'Written' })
  })

  it('not while Azure changes the cluster, or two mesh revisions run', async () => {
    await world.established()
    const aks = (provisioningState: string, revisions: readonly string[]) =>
      world.store.change('cluster', 'east', (east) => ({
        ...east,
        aks: {
          provisioningState,
          location: 'westeurope',
          isPrivate: false,
          entra: { enabled: true, azureRbac: true, localAccountsDisabled: true },
          mesh: {
            revisions,
            ingressGateways: [],
            egressGateways: [],
            pluginCa: {
              keyVaultId: '/x/mesh',
              rootCert: 'root-cert',
              cert: 'ca-cert',
              certChain: 'cert-chain',
              key: 'ca-key',
            },
          },
          azureMonitorMetrics: false,
        },
      }))
    aks('Updating', ['asm-1-27'])
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()?.reason).toBe('ClusterChanging')
    aks('Succeeded', ['asm-1-27', 'asm-1-28'])
    world.pass(HOUR)
    await world.advance()
    expect(world.rotation()?.reason).toBe('MeshUpgrade')
    aks('Succeeded', ['asm-1-28'])
    world.pass(HOUR)
    await world.advance()
    expect(world.rotation()?.reason).toBe('Written')
  })
})
