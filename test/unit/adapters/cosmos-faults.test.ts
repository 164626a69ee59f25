import { describe, expect, it } from 'vitest'
import { cosmosStore } from '../../../src/adapters/cosmos/cosmos-store.ts'
import { safeId } from '../../../src/adapters/cosmos/safe-id.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { cosmosEmulator } from '../../../src/sandbox/emulators/cosmos/cosmos.ts'
import type { EmulatorRequest, EmulatorResponse } from '../../../src/sandbox/emulators/emulator.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { ConnectionError, throughWire, type Wire } from '../../../src/sandbox/transports/wire.ts'
import { clusterDocument } from '../../contract/store/documents.ts'
import { virtualClock } from './virtual-clock.ts'

const key = Buffer.from('a master key for tests').toString('base64')

/** A store on an emulator with containers and a cluster `east`, behind a wire that can be changed; what was asked. */
async function emulated(clock: Clock = systemClock()) {
  const wire: { on: Wire } = { on: (_, deliver) => deliver() }
  const asked: EmulatorRequest[] = []
  const context = { now: () => clock.now(), random: () => 0.5, storage: memoryStorage() }
  const emulator = throughWire(cosmosEmulator(context, { key }), (request, deliver) => {
    asked.push(request)
    return wire.on(request, deliver)
  })
  const settings = {
    endpoint: 'https://cosmos.test',
    database: 'm',
    credential: { key },
    httpClient: pipelineTransport(emulator),
  }
  const east = await cosmosStore({ ...settings, createMissing: true }, clock).create(clusterDocument('east'))
  asked.length = 0
  return { store: cosmosStore(settings, clock), settings, wire, asked, east }
}

const answer = (status: number, headers: Record<string, string> = {}, body = '{"message":"as asked"}') => {
  return async (): Promise<EmulatorResponse> => ({ status, headers, body })
}

describe('a fault of Cosmos DB', () => {
  it.each([
    [answer(400), 'invalid'],
    [answer(401), 'denied'],
    [answer(403), 'denied'],
    [answer(404, { 'x-ms-substatus': '1002' }), 'unavailable', 'SessionNotAvailable'],
    [answer(404, { 'x-ms-substatus': '1003' }), 'unavailable', 'ContainerMissing'],
    [answer(408), 'unavailable'],
    [answer(410), 'unavailable'],
    [answer(413), 'invalid'],
    [answer(429, { 'x-ms-retry-after-ms': '1' }), 'throttled'],
    [answer(449), 'unavailable'],
    [answer(500), 'unavailable'],
    [answer(503), 'unavailable'],
    [answer(503, {}, ''), 'unavailable'],
    [answer(502, {}, '<html>Bad Gateway</html>'), 'unavailable'],
    [answer(200, {}, '{"id":"cut sh'), 'unavailable'],
    [() => Promise.reject(new ConnectionError('ECONNREFUSED')), 'unavailable', 'ConnectionRefused'],
    [() => Promise.reject(new ConnectionError('ENOTFOUND')), 'unavailable', 'NameLookup'],
  ] as const)('is told as %o %s', async (fault, kind, reason?: string) => {
    const { store, wire, east } = await emulated()
    wire.on = fault
    const failures = await Promise.all([
      store.read('cluster', 'east').catch((error: unknown) => error),
      store.replace(east, { ...east.value, attempts: 1 }).catch((error: unknown) => error),
      store.list('cluster').catch((error: unknown) => error),
    ])
    for (const failure of failures) expect(failure).toMatchObject({ name: 'PortError', kind, system: 'Cosmos DB' })
    if (reason !== undefined) expect(failures[0]).toMatchObject({ reason })
  })

  it('that throttles is waited for by the SDK three times, then left to the caller', async () => {
    const { store, wire, asked, east } = await emulated()
    wire.on = answer(429, { 'x-ms-retry-after-ms': '3' })
    const failure = await store.replace(east, east.value).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'throttled', retryAfterMs: 3 })
    expect(asked).toHaveLength(4)
  })

  it('that loses the answer to a write is not met by a second write', async () => {
    const { store, wire, asked, east } = await emulated()
    wire.on = async (_, deliver) => {
      await deliver()
      throw new ConnectionError('ECONNRESET')
    }
    const next = { ...east.value, attempts: 1 }
    await expect(store.replace(east, next)).rejects.toMatchObject({ kind: 'unavailable', reason: 'ConnectionLost' })
    expect(asked).toHaveLength(1)
    wire.on = (_, deliver) => deliver()
    expect(await store.read('cluster', 'east')).toMatchObject({ value: { attempts: 1 } })
    await expect(store.replace(east, next)).rejects.toMatchObject({ kind: 'precondition' })
  })

  it('that never answers ends after ten seconds', async () => {
    const clock = virtualClock()
    const { store, wire } = await emulated(clock)
    wire.on = () => new Promise(() => {})
    const failure = store.read('cluster', 'east').catch((error: unknown) => error)
    await clock.pass(10_000)
    expect(await failure).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
  })
})

describe('the cost of a call', () => {
  it('is one request to read, to replace and to remove, and a second one for the first create of a process', async () => {
    const { store, asked, east } = await emulated()
    const counts = async (call: () => Promise<unknown>) => {
      const before = asked.length
      await call()
      return asked.length - before
    }
    expect(await counts(() => store.read('cluster', 'east'))).toBe(1)
    const replaced = { current: east }
    expect(
      await counts(async () => {
        replaced.current = await store.replace(east, { ...east.value, attempts: 1 })
      }),
    ).toBe(1)
    expect(await counts(() => store.remove(replaced.current))).toBe(1)
    expect(await counts(() => store.create(clusterDocument('west')))).toBe(2)
    expect(await counts(() => store.create(clusterDocument('north')))).toBe(1)
  })

  it('names its session to the reader that hands it on', async () => {
    const { store, asked, east } = await emulated()
    expect(east.session).toEqual(expect.any(String))
    await store.read('cluster', 'east', east.session)
    expect(asked[0]?.headers['x-ms-session-token']).toBe(east.session)
  })
})

describe('an item id', () => {
  it('differs for different texts, and holds only what Cosmos DB takes', () => {
    const texts = ['a/b', 'a:b', 'a~b', 'a?b', 'a#b', 'a\\b', 'a b', 'a%2fb', 'ä', '🙂', '~2f', '', 'x'.repeat(400)]
    const ids = texts.map(safeId)
    expect(new Set(ids).size).toBe(texts.length)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9.:_~-]{0,250}$/)
    expect(safeId('service/shop/web')).toBe('service:shop:web')
    expect(safeId(`${'x'.repeat(400)}1`)).not.toBe(safeId(`${'x'.repeat(400)}2`))
  })
})
