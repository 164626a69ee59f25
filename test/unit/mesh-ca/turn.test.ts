import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cosmosStore } from '../../../src/adapters/cosmos/cosmos-store.ts'
import { relayingStore } from '../../../src/adapters/relaying-store.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import type { MeshCaDocument } from '../../../src/model/documents.ts'
import { MESH_CA_TURN } from '../../../src/model/turn.ts'
import type { Store } from '../../../src/ports/store.ts'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { aSpec, createWorld, DAY, HOUR, OPERATOR } from './world.ts'

const CLUSTERS = ['north', 'south', 'mid'] as const
const nameOf = (cluster: string) => `${cluster}-ca`

/** CAs of several clusters, each asked to rotate, in the store that the product has, on the emulator. */
async function open(clusters: readonly string[], change: Readonly<Record<string, unknown>> = {}) {
  const world = createWorld()
  const key = Buffer.from('a master key for tests').toString('base64')
  const emulator = cosmosEmulator({ now: Date.now, random: Math.random, storage: memoryStorage() }, { key })
  const httpClient = pipelineTransport(emulator)
  const settings = { endpoint: 'https://cosmos.test', database: 'meshwright', credential: { key }, httpClient }
  const plain = cosmosStore({ ...settings, createMissing: true }, systemClock())
  const store: Store = relayingStore(plain, { send: async () => undefined }, systemClock())
  const deps = { ...world.deps, store }
  const { createdAt, updatedAt, ...rest } = world.store.get('cluster', 'east')
  for (const [index, cluster] of clusters.entries()) {
    await store.create({ ...rest, createdAt, updatedAt, name: cluster })
    const secrets = { rootCert: `r${index}`, caCert: `c${index}`, certChain: `h${index}`, caKey: `k${index}` }
    const spec = aSpec({ cluster, secrets, ...change })
    const base = { schema: 1, outbox: [], generation: 1, idempotency: [], createdAt, updatedAt } as const
    const seen = { observedGeneration: 0, conditions: [], history: [], warned: { root: [], signer: [] } } as const
    const document: MeshCaDocument = { ...base, ...seen, kind: 'mesh-ca', name: nameOf(cluster), spec }
    await store.create(document)
  }
  const read = async (cluster: string) => (await store.read('mesh-ca', nameOf(cluster)))?.value
  const advance = async (cluster: string, through: Store = store) => {
    const done = await advanceCa({ ...deps, store: through }, nameOf(cluster))
    if (!done.ok) throw new Error(done.failure.detail)
  }
  /** A first CA for each, and a wish for the next intermediate. */
  for (const cluster of clusters) await advance(cluster)
  for (const cluster of clusters) {
    const asked = await rotateCa(deps, nameOf(cluster), { what: 'intermediate' }, OPERATOR)
    if (!asked.ok) throw new Error(asked.failure.detail)
  }
  const begun = async () => {
    const found: string[] = []
    for (const cluster of clusters) if ((await read(cluster))?.rotation?.begunAt !== undefined) found.push(cluster)
    return found
  }
  return { world, store, read, advance, begun }
}

/** Calls of the store come one at a time, in an order that is drawn. */
function interleaved(store: Store, wait: () => Promise<void>): Store {
  return new Proxy<Store>(store, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        await wait()
        return member.apply(target, args)
      }
    },
  })
}

describe('of CAs that would begin in the same moment', { timeout: 120_000 }, () => {
  it('one begins and the others wait for their turn, however their calls come between each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { minLength: 20, maxLength: 60 }), async (turns) => {
        const { read, advance, begun, store } = await open(CLUSTERS)
        let drawn = 0
        const wait = async () => {
          const rounds = turns[drawn % turns.length] ?? 0
          drawn += 1
          for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve))
        }
        await Promise.all(CLUSTERS.map((cluster) => advance(cluster, interleaved(store, wait))))
        expect(await begun()).toHaveLength(1)
        const [first] = await begun()
        for (const cluster of CLUSTERS.filter((one) => one !== first))
          expect((await read(cluster))?.rotation).toMatchObject({ phase: 'switching', reason: 'WaitsForTurn' })
        expect((await store.read('turn', MESH_CA_TURN))?.value.cluster).toBe(first)
      }),
      { numRuns: 8 },
    )
  })

  it('a crash between claim and begin does not lose the turn: the same rotation has it still', async () => {
    const { world, store, read, advance, begun } = await open(['north', 'south'])
    const dies = new Proxy<Store>(store, {
      get(target, name) {
        if (name !== 'replace') return Reflect.get(target, name)
        return async (...args: Parameters<Store['replace']>) => {
          if (args[1].kind === 'mesh-ca' && args[1].rotation?.begunAt !== undefined) throw new Error('died')
          return target.replace(...args)
        }
      },
    })
    await expect(advance('north', dies)).rejects.toThrow('died')
    expect((await store.read('turn', MESH_CA_TURN))?.value).toMatchObject({ ca: 'north-ca', cluster: 'north' })
    await advance('south')
    expect(await begun()).toEqual([])
    expect((await read('south'))?.rotation?.reason).toBe('WaitsForTurn')
    await advance('north')
    expect(await begun()).toEqual(['north'])
    world.pass(DAY + HOUR)
    await advance('south')
    expect(await begun()).toEqual(['north', 'south'])
  })

  it('a turn that was given up before anything was written is free at once', async () => {
    const { store, read, advance, begun } = await open(['north', 'south'])
    await advance('north')
    const north = await store.read('mesh-ca', 'north-ca')
    if (!north?.value.rotation) throw new Error('no rotation')
    const { begunAt: _begun, ...rotation } = north.value.rotation
    const aborted = { ...rotation, phase: 'aborted', endedAt: rotation.startedAt } as const
    await store.replace(north, { ...north.value, rotation: aborted, history: [aborted] })
    await advance('south')
    expect((await read('south'))?.rotation?.reason).toBe('Written')
    expect(await begun()).toEqual(['south'])
  })

  it('what ends soon takes its turn from whoever has it, and a first CA needs none', async () => {
    const { world, store, read, advance } = await open(['north', 'south'], {
      intermediate: { key: 'P-256', validity: '30d' },
      renewBefore: '1h',
    })
    expect(await store.read('turn', MESH_CA_TURN)).toBeUndefined()
    await advance('north')
    world.pass(24 * HOUR - 1)
    await advance('south')
    expect((await read('south'))?.rotation?.reason).toBe('WaitsForTurn')
    world.pass(25 * DAY)
    const held = await store.read('turn', MESH_CA_TURN)
    if (!held) throw new Error('no turn')
    await store.replace(held, { ...held.value, at: new Date(world.now()).toISOString() })
    await advance('south')
    expect((await read('south'))?.rotation).toMatchObject({ reason: 'Written' })
    expect((await store.read('turn', MESH_CA_TURN))?.value.cluster).toBe('south')
  })
})
