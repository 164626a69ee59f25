import { describe, expect, it } from 'vitest'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { MemoryCaVault } from '../fakes/memory-ca-vault.ts'
import { createWorld, MINUTE, type World } from './world.ts'

/** The process dies: nothing that comes after is carried out. */
class CrashError extends Error {
  override readonly name = 'CrashError'
}

const TTL = 60 * MINUTE

/** Everything that a rotation of the root asks of the vault to write: each of these may be where a process dies. */
async function requestsOf(what: 'first' | 'root' | 'intermediate'): Promise<readonly string[]> {
  const world = await worldFor(what)
  await until(world)
  expect(world.rotation()?.phase).toBe('succeeded')
  return world.vault.calls
}

async function worldFor(what: 'first' | 'root' | 'intermediate'): Promise<World> {
  const world = createWorld({ ttlMs: TTL })
  if (what === 'first') await world.put()
  else {
    await world.established()
    await world.rotate(what)
  }
  world.vault.calls.length = 0
  return world
}

/** As `until`, with a process that dies where the vault says so, and starts anew when the lease is over. */
async function until(world: World, meanwhile: (world: World) => unknown = () => undefined): Promise<void> {
  let restarts = 0
  for (;;) {
    try {
      await world.until(undefined, 5 * MINUTE)
      return
    } catch (error) {
      if (!(error instanceof CrashError) || restarts > 3) throw error
      restarts += 1
      world.vault.interrupt = () => undefined
      world.pass(3 * MINUTE)
      check(world)
      await meanwhile(world)
      check(world)
    }
  }
}

/** Whatever happened: what is in use is trusted, by the vault and by every proxy. */
function check({ mesh, vault, now }: World): void {
  expect(mesh.broken(now())).toBe(0)
  const trusted = mesh.held?.roots ?? []
  for (const root of mesh.inUse(now())) expect(trusted).toContain(root)
  expect(vault.peek('root-cert')?.value ?? '').not.toContain('PRIVATE KEY')
}

/** Who died asks for nothing any more, until it starts anew. */
function dieAt(vault: MemoryCaVault, at: number, when: 'before' | 'after'): void {
  let isDead = false
  vault.interrupt = (_call, moment, count) => {
    if (count === at && moment === when) isDead = true
    if (isDead) throw new CrashError('the process died')
  }
}

describe('a process that dies before or after a request', () => {
  for (const what of ['first', 'intermediate', 'root'] as const) {
    it(`leaves nothing half done: ${what}`, { timeout: 120_000 }, async () => {
      const calls = await requestsOf(what)
      // Reads are many, and alike: those next to a write are enough.
      const isNear = (index: number) => [0, 1].some((by) => !/^(get|key) |^undefined/.test(`${calls[index + by]}`))
      const places = calls.map((_, index) => index).filter(isNear)
      expect(places.length).toBeGreaterThanOrEqual(5)
      for (const index of places) {
        for (const when of ['before', 'after'] as const) {
          const world = await worldFor(what)
          dieAt(world.vault, index + 1, when)
          await until(world)
          expect(world.rotation()?.phase, `${calls[index]} ${when}`).toBe('succeeded')
          check(world)
          expect(world.document().current?.roots).toHaveLength(1)
          expect(world.mesh.refusals, 'istiod takes every whole bundle').toBeLessThanOrEqual(1)
        }
      }
    })
  }
})

/** What stands in the way of the process that starts anew, and what takes it away. */
const HINDRANCES: Readonly<Record<string, readonly [(world: World) => unknown, (world: World) => unknown]>> = {
  'a pause': [(world) => world.act('pause'), (world) => world.act('resume')],
  'a freeze': [
    ({ store }) =>
      store.put({
        schema: 1,
        kind: 'freeze',
        name: 'peak',
        outbox: [],
        generation: 1,
        idempotency: [],
        createdAt: '',
        updatedAt: '',
        spec: { reason: 'peak', scope: {}, covers: ['configuration'] },
      }),
    ({ store }) => store.drop('freeze', 'peak'),
  ],
  'a denial': [
    ({ vault }) => {
      vault.interrupt = (call, when) => {
        if ((call === 'sign' || call.startsWith('create-key')) && when === 'before')
          throw new PortError('denied', 'Key Vault', 'Forbidden by RBAC')
      }
    },
    ({ vault }) => {
      vault.interrupt = () => undefined
    },
  ],
}

/** Would istiod start with what lies in the vault? */
function isWhole({ vault, now }: World): boolean {
  const value = (name: string) => vault.peek(name)?.value ?? ''
  const rootCert = value('root-cert')
  const bundle = { rootCert, certChain: value('cert-chain'), caCert: value('ca-cert'), caKey: value('ca-key') }
  return checkBundle(bundle, { now: now(), heldRoots: rootCert }).length === 0
}

describe('a process that dies in a write, and starts anew where nothing may be written', () => {
  for (const [name, [hinder, allow]] of Object.entries(HINDRANCES)) {
    for (const what of ['intermediate', 'root'] as const) {
      it(`leaves no torn vault: ${what}, ${name}`, { timeout: 120_000 }, async () => {
        const calls = await requestsOf(what)
        const places = calls.flatMap((call, index) => (/^set (cert-chain|ca-cert|ca-key)/.test(call) ? [index] : []))
        let torn = 0
        for (const index of places) {
          const world = await worldFor(what)
          dieAt(world.vault, index + 1, 'before')
          await until(world, async () => {
            if (!isWhole(world)) torn += 1
            await hinder(world)
            await world.advance()
            expect(isWhole(world), `${calls[index]} ${index}`).toBe(true)
            await world.live(30 * MINUTE, 5 * MINUTE)
            expect(isWhole(world), `${calls[index]} ${index}, later`).toBe(true)
            await allow(world)
          })
          // What was put back may have failed by the denial: then it is asked for again.
          if (world.rotation()?.phase === 'failed') {
            await world.rotate(what)
            await world.until(undefined, 5 * MINUTE)
          }
          expect(world.rotation()?.phase, `${calls[index]} ${index}`).toBe('succeeded')
          check(world)
        }
        expect(torn).toBeGreaterThanOrEqual(2)
      })
    }
  }
})
