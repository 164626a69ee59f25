import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUrgent } from '../../../src/certificates/renewal.ts'
import { rotateCertificate } from '../../../src/certificates/rotate-certificate.ts'
import type { CertificateDocument } from '../../../src/model/documents.ts'
import { actorOf } from '../../../src/model/identity.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { VaultVersion } from '../../../src/ports/vault.ts'
import { windowState } from '../../../src/ports/window-state.ts'
import { createWorld, DAY, HOUR, OPERATOR, type World } from './world.ts'

const WINDOWS = [{ cron: '0 2 * * *', for: '2h', timeZone: 'UTC' }]
const SPREAD = { atOnce: 1, pause: '30m' }

type Act = (world: World) => void | Promise<void>

const acts: Readonly<Record<string, Act>> = {
  advance: (world) => world.advance(),
  'two at once': async (world) => void (await Promise.all([world.advance(), world.advance()])),
  minutes: (world) => world.pass(HOUR / 2),
  hours: (world) => world.pass(5 * HOUR),
  weeks: (world) => world.pass(13 * DAY),
  complete: async (world) => void (await world.vault.complete('web-tls').catch(() => undefined)),
  'issuer fails': (world) => {
    try {
      world.vault.fail('web-tls')
    } catch {
      // Nothing is pending.
    }
  },
  'answer lost': (world) => {
    const { create } = world.vault
    world.vault.create = async (...args) => {
      world.vault.create = create
      await create.apply(world.vault, args)
      throw new PortError('unavailable', 'Key Vault', 'no answer')
    }
  },
  'request lost': (world) => world.vault.failOnce('create', new PortError('unavailable', 'Key Vault', 'no answer')),
  throttled: (world) => world.vault.failOnce('version', new PortError('throttled', 'Key Vault', 'too many')),
  'another hand': async (world) => {
    if (isPending(world)) return
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 95 * DAY })
  },
  'another hand, short': async (world) => {
    if (isPending(world)) return
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 5 * DAY })
  },
  'another hand, other hosts': async (world) => {
    if (isPending(world)) return
    await world.vault.addVersion('web-tls', { dnsNames: ['x.example.com'], validForMs: 95 * DAY })
  },
  rotate: async (world) =>
    void (await rotateCertificate(world.deps, 'web-tls', { actor: actorOf(OPERATOR.caller) }, OPERATOR)),
  deliver: (world) => world.deliver(),
  'deliver east': (world) => world.deliver(['east']),
  'west fails': (world) => {
    if (world.document().targets.west)
      world.deliveryIs('west', { state: 'failed', reason: 'Unreachable', message: 'no answer' })
  },
  'other hosts': (world) =>
    world.put({ windows: WINDOWS, spread: SPREAD, dnsNames: ['web.example.com', 'b.example.com'] }),
  'first hosts': (world) => world.put({ windows: WINDOWS, spread: SPREAD }),
}

function isPending(world: World): boolean {
  return world.document().rotation?.phase === 'creating'
}

/** What has to hold between one state and the next, whatever happened. */
async function check(world: World, before: CertificateDocument, known: Map<string, VaultVersion>): Promise<void> {
  const after = world.document()
  const versions = await world.vault.versions('web-tls')
  const made = versions.map(({ tags }) => tags['meshwright-rotation']).filter((tag) => tag !== undefined)
  expect(made.length, 'no rotation makes two versions').toBe(new Set(made).size)
  for (const { version } of versions) {
    const whole = await world.vault.version('web-tls', version).catch(() => undefined)
    if (whole) known.set(version, whole)
  }
  const replaced = Object.keys(after.targets).filter((cluster) => {
    const was = before.targets[cluster]
    return was !== undefined && was.version !== after.targets[cluster]?.version
  })
  const ends = (version: string) => Date.parse(known.get(version)?.notAfter ?? '')
  for (const cluster of replaced) {
    const [was, is] = [before.targets[cluster]?.version ?? '', after.targets[cluster]?.version ?? '']
    expect(ends(is), `${cluster} is never given an older version`).toBeGreaterThanOrEqual(ends(was))
  }
  // What any cluster serves may end soon, also before it is current everywhere.
  const served = [before.current, ...Object.values(before.targets).map(({ version }) => known.get(version))]
  if (replaced.length > 0 && !served.some((version) => isUrgent(version, world.now()))) {
    expect(windowState(after.spec.windows, world.now()).open, 'a window is open').toBe(true)
    expect(replaced.length, 'one at once').toBeLessThanOrEqual(1)
  }
  expect(after.revision).toBeGreaterThanOrEqual(before.revision)
}

describe('whatever happens, in whatever order', () => {
  it('no rotation makes two versions, none goes back, windows and spread hold', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...Object.keys(acts)), { minLength: 5, maxLength: 40 }),
        async (names) => {
          const world = createWorld()
          await world.put({ windows: WINDOWS, spread: SPREAD })
          const known = new Map<string, VaultVersion>()
          for (const name of names) {
            const before = world.document()
            await acts[name]?.(world)
            await check(world, before, known)
          }
          // Left alone, with a vault and clusters that answer, it comes to rest.
          for (let hour = 0; hour < 72; hour += 1) {
            world.pass(HOUR)
            if (isDue(world)) await world.advance()
            if (isPending(world)) await world.vault.complete('web-tls').catch(() => undefined)
            world.deliver()
          }
          const { rotation, current } = world.document()
          expect(rotation?.phase === 'succeeded' || rotation?.phase === 'failed' || current !== undefined).toBe(true)
          expect(current).toBeDefined()
        },
      ),
      { numRuns: 25 },
    )
  })
})

function isDue(world: World): boolean {
  const { dueAt } = world.document()
  return dueAt === undefined || Date.parse(dueAt) <= world.now()
}
