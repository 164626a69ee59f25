import { describe, expect, it } from 'vitest'
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
async function until(world: World): Promise<void> {
  let restarts = 0
  for (;;) {
    try {
      await world.until(undefined, 5 * MINUTE)
      return
    } catch (error) {
      if (!(error instanceof CrashError) || restarts > 3) throw error
      restarts += 1
      world.pass(3 * MINUTE)
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

function dieAt(vault: MemoryCaVault, at: number, when: 'before' | 'after'): void {
  let isDead = false
  vault.interrupt = (_call, moment, count) => {
    if (isDead || count !== at || moment !== when) return
    isDead = true
    throw new CrashError('the process died')
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
