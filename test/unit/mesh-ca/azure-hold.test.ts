import { beforeEach, describe, expect, it } from 'vitest'
import { observeCa } from '../../../src/mesh-ca/observe.ts'
import type { ManagedClusterFacts } from '../../../src/model/cluster.ts'
import type { ClusterDocument } from '../../../src/model/documents.ts'
import { armIdOf, someFacts } from '../fakes/fake-managed-clusters.ts'
import { createWorld, DAY, HOUR, MINUTE, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = createWorld()
  await world.established()
})

const PLUGIN = {
  keyVaultId: '/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/mesh',
  ...{ rootCert: 'root-cert', cert: 'ca-cert', certChain: 'cert-chain', key: 'ca-key' },
}

function facts(change: Partial<ManagedClusterFacts> = {}): ManagedClusterFacts {
  const mesh = { revisions: ['asm-1-30'], ingressGateways: [], egressGateways: [], pluginCa: PLUGIN }
  return someFacts({ mesh, ...change })
}

/** What Azure says, `ago` before now. */
function azure(
  status: 'True' | 'False' | 'Unknown',
  reason = 'Succeeded',
  ago = 0,
  change: Partial<ClusterDocument> = {},
): void {
  const at = new Date(world.now() - ago).toISOString()
  const condition = { type: 'AzureReady', status, reason, message: 'As it says.', lastTransitionTime: at } as const
  world.store.change('cluster', 'east', ({ spec: { kubeconfig: _none, ...spec }, ...east }) => ({
    ...east,
    spec: { ...spec, resourceId: armIdOf('east') },
    aks: facts(),
    conditions: [{ ...condition, observedGeneration: 1 }],
    probedAt: at,
    ...change,
  }))
}

const probes = () => world.store.sent.filter(({ message }) => message.kind === 'probe').map(({ message }) => message)
const holds = async () => (await observeCa(world.deps, world.document())).holds.map(({ reason }) => reason)

describe('a rotation of the CA of a cluster by ARM id', () => {
  it('writes by what Azure said in the last 15 minutes', async () => {
    azure('True', 'Succeeded', 14 * MINUTE)
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()?.writtenAt ?? world.rotation()?.askedUntil).toBeDefined()
    expect(probes()).toEqual([])
  })

  it('has the cluster probed where that is older, and goes on when Azure was asked', async () => {
    azure('True', 'Succeeded', 16 * MINUTE)
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'AzureUnknown' })
    expect(world.rotation()?.askedUntil).toBeUndefined()
    expect(probes()).toEqual([{ kind: 'probe', cluster: 'east', record: true }])
    expect(Date.parse(world.document().dueAt ?? '') - world.now()).toBe(15_000)
    await world.advance()
    expect(probes()).toHaveLength(1)
    world.pass(15_000)
    await world.advance()
    expect(probes()).toHaveLength(2)
    azure('True')
    world.pass(15_000)
    await world.advance()
    expect(world.rotation()?.reason).not.toBe('AzureUnknown')
    expect(world.rotation()?.writtenAt ?? world.rotation()?.askedUntil).toBeDefined()
  })

  it('is passed with less than a day left', async () => {
    const { current } = world.document()
    world.pass(Date.parse(current?.signer.notAfter ?? '') - 12 * HOUR - world.now())
    azure('Unknown', 'ArmDenied')
    await world.rotate('intermediate')
    await world.advance()
    expect(world.rotation()?.askedUntil ?? world.rotation()?.writtenAt).toBeDefined()
    expect(world.events()).toContain('freeze-passed EndsSoon')
  })

  it.each<[string, 'True' | 'False' | 'Unknown', string, Partial<ClusterDocument>, string[]]>([
    ['is ready', 'True', 'Succeeded', {}, []],
    ['may not be asked about', 'Unknown', 'ArmDenied', {}, ['AzureUnknown']],
    ['is gone', 'False', 'ClusterGone', {}, ['AzureUnknown']],
    [
      'failed in its last change, which is over',
      'False',
      'Failed',
      { aks: facts({ provisioningState: 'Failed' }) },
      [],
    ],
    ['was never asked about', 'True', 'Succeeded', { conditions: [] }, ['AzureUnknown']],
    ['was not asked about yet', 'True', 'Succeeded', { probedAt: '' }, ['AzureUnknown']],
  ])('%s', async (_, status, reason, change, expected) => {
    await world.rotate('intermediate')
    azure(status, reason, 0, change)
    expect(await holds()).toEqual(expected)
  })

  it('is no matter while nothing is rotated, nor for a cluster by its kubeconfig', async () => {
    azure('Unknown', 'ArmDenied', DAY)
    expect(await holds()).toEqual([])
    world = createWorld()
    await world.established()
    await world.rotate('intermediate')
    expect(await holds()).toEqual([])
  })

  it('does not keep workloads from being restarted', async () => {
    await world.put({ restarts: {} })
    await world.rotate('intermediate')
    await world.until('renewing')
    azure('True', 'Succeeded', HOUR)
    await world.live(20 * MINUTE, MINUTE)
    expect(world.rotation()?.restarting).toBeDefined()
  })
})
