import { beforeEach, describe, expect, it } from 'vitest'
import { putMeshCa } from '../../../src/mesh-ca/put-mesh-ca.ts'
import { aSpec, createWorld, DAY, OPERATOR, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const put = (change: Readonly<Record<string, unknown>>, name: string) =>
  putMeshCa(world.deps, name, aSpec(change), OPERATOR)

const OWN = { rootCert: 'w-root', caCert: 'w-ca', certChain: 'w-chain', caKey: 'w-key' }

describe('the secrets of a CA', () => {
  it.each([
    ['its root', { ...OWN, rootCert: 'root-cert' }],
    ['its certificate, in another case', { ...OWN, caCert: 'CA-CERT' }],
    ['the key that waits for another CA', { ...OWN, caKey: 'ca-key-next' }],
  ])('are no other CA’s: %s', async (_, secrets) => {
    await world.put()
    const answer = await put({ cluster: 'west', secrets }, 'west-ca')
    expect(answer).toMatchObject({ ok: false, failure: { code: 'Conflict', errors: [{ pointer: '/secrets' }] } })
    expect(await put({ cluster: 'west', secrets: OWN }, 'west-ca')).toMatchObject({ ok: true })
  })

  it('are written by one CA, though two were registered for the cluster at the same moment', async () => {
    await world.put()
    world.store.put({ ...world.document(), name: 'other-ca' })
    await world.advance('other-ca')
    expect(world.document('other-ca').rotation).toMatchObject({ phase: 'switching', reason: 'TwinCa' })
    await world.advance()
    expect(world.document().current).toBeDefined()
    expect(world.document('other-ca').current).toBeUndefined()
    world.store.drop('mesh-ca', 'east-ca')
    world.pass(DAY)
    await world.advance('other-ca')
    expect(world.document('other-ca').rotation?.reason).not.toBe('TwinCa')
  })

  it('are none of its own twice, with that which waits', async () => {
    const secrets = { ...OWN, caCert: 'w-key-next' }
    expect(await put({ secrets }, 'east-ca')).toMatchObject({ ok: false, failure: { code: 'InvalidCombination' } })
  })

  it('stay where they are when the cluster reads others: nothing is written, and no other CA is taken for it', async () => {
    await world.put({ cluster: 'west' }, 'west-ca')
    await world.advance('west-ca')
    plugIn('e')
    await world.established()
    const [before, west] = [world.document(), world.document('west-ca').current]
    expect(before.place?.secrets.rootCert).toBe('e-root')
    plugIn(undefined)
    await world.advance()
    await world.rotate('root')
    world.pass(DAY)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'PlaceChanged' })
    expect(world.document().current).toEqual(before.current)
    await world.advance('west-ca')
    expect(world.document('west-ca').current).toEqual(west)
    plugIn('e')
    await world.advance()
    expect(world.rotation()?.reason).not.toBe('PlaceChanged')
  })
})

/** The plug-in CA of east reads secrets whose names begin so; undefined: there is no plug-in CA. */
function plugIn(name: string | undefined): void {
  const pluginCa = {
    keyVaultId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/mesh',
    rootCert: `${name}-root`,
    cert: `${name}-ca`,
    certChain: `${name}-chain`,
    key: `${name}-key`,
  }
  const mesh = { mode: 'Istio', revisions: ['asm-1-30'], pluginCa }
  const aks = { provisioningState: 'Succeeded', powerState: 'Running', ...(name === undefined ? {} : { mesh }) }
  world.store.change('cluster', 'east', (east) => ({ ...east, aks: aks as never }))
}

describe('lifetimes', () => {
  it.each([
    [{ intermediate: { validity: '47h' } }, 'intermediate'],
    [{ root: { kind: 'vault-key', validity: '720h' }, workloadTtl: '200h' }, 'root'],
  ])('are long enough to renew every workload: %j', async (change, of) => {
    expect(await put(change, 'east-ca')).toMatchObject({ ok: false, failure: { code: 'InvalidCombination' } })
    const answer = await put(change, 'east-ca')
    expect(answer.ok ? [] : answer.failure.errors).toMatchObject([{ pointer: `/${of}/validity` }])
  })

  it('that get shorter, and a renewal that would be too late, are warned of', async () => {
    await world.put()
    const answer = await put({ workloadTtl: '1h', renewBefore: '1h' }, 'east-ca')
    expect(answer.ok ? answer.value.warnings : []).toEqual([
      expect.stringContaining('renewBefore is shorter'),
      expect.stringContaining('up to 86400s may still be in use'),
    ])
  })
})
