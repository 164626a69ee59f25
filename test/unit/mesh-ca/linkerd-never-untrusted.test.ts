import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createLinkerdWorld, type LinkerdWorld, SECRETS } from './linkerd-world.ts'
import { DAY, HOUR, MINUTE, OPERATOR } from './world.ts'

const LOST = new PortError('unavailable', 'Key Vault', 'no answer')
class CrashError extends Error {
  override readonly name = 'CrashError'
}

type Act = (world: LinkerdWorld) => unknown

/** Time, in steps: reconcile brings, identity takes, proxies renew; nobody looks. */
function live(world: LinkerdWorld, ms: number): void {
  for (let passed = 0; passed < ms; passed += 20 * MINUTE) {
    world.live(20 * MINUTE)
    check(world)
  }
}

function stopOnce({ vault }: LinkerdWorld, when: 'before' | 'after', part: string, error: Error): void {
  vault.interrupt = (call, moment) => {
    if (moment !== when || !call.startsWith(part)) return
    vault.interrupt = () => undefined
    throw error
  }
}

/** As the worker runs: a process that dies leaves what it had stored. */
async function advance(world: LinkerdWorld): Promise<void> {
  await world.advance().catch((error: unknown) => {
    if (!(error instanceof CrashError)) throw error
  })
}

const acts: Readonly<Record<string, Act>> = {
  advance,
  'look and advance': async (world) => {
    world.see()
    await advance(world)
  },
  'two at once': (world) => Promise.all([advance(world), advance(world)]),
  minutes: (world) => live(world, 20 * MINUTE),
  hours: (world) => live(world, 7 * HOUR),
  'more than a day': (world) => live(world, 26 * HOUR),
  look: (world) => world.see(),
  'a look failed': (world) =>
    world.store.put({ ...world.mesh.look(world.now()), state: 'failed', reason: 'Unreachable', message: 'No.' }),
  'a Pod starts': (world) => world.mesh.start(world.now()),
  'a Pod starts anew': (world) => world.mesh.restartOne(world.now()),
  'all Pods start anew': (world) => world.mesh.restartAll(world.now()),
  'the control plane starts anew': (world) => world.mesh.restartControlPlane(world.now()),
  'what is waited for is restarted': (world) => world.restart(),
  'Linkerd is stuck': ({ mesh }) => {
    mesh.isStuck = true
  },
  'Linkerd goes on': ({ mesh }) => {
    mesh.isStuck = false
  },
  'reconcile is cut off': ({ mesh }) => {
    mesh.isCut = true
  },
  'reconcile is back': ({ mesh }) => {
    mesh.isCut = false
  },
  root: (world) => rotateCa(world.deps, 'east-ca', { what: 'root' }, OPERATOR),
  intermediate: (world) => rotateCa(world.deps, 'east-ca', { what: 'intermediate' }, OPERATOR),
  pause: (world) => world.act('pause'),
  resume: (world) => world.act('resume'),
  abort: (world) => world.act('abort'),
  'request lost': (world) => stopOnce(world, 'before', 'set', LOST),
  'answer lost': (world) => stopOnce(world, 'after', `set ${SECRETS.caCert}`, LOST),
  'the process dies before a write': (world) => stopOnce(world, 'before', 'set', new CrashError('died')),
  'the process dies after a write': (world) => stopOnce(world, 'after', `set ${SECRETS.caKey}`, new CrashError('died')),
  'another hand': ({ vault }) => {
    const held = vault.peek(SECRETS.caCert)
    if (held) vault.put(SECRETS.caCert, held.value)
  },
  'failures rise': ({ mesh }) => {
    mesh.failures = { now: 100, before: 1 }
  },
  'failures fall': ({ mesh }) => {
    mesh.failures = { now: 0, before: 0 }
  },
}

function check({ mesh, now }: LinkerdWorld): void {
  expect(mesh.broken(now()), 'a client meets a leaf whose anchor it lacks').toBe(0)
}

/** How far it is when it all begins: a mesh of others, or a rotation of ours. */
const BEGINNINGS = ['found', 'ours', 'trusting', 'switching', 'renewing', 'narrowing'] as const

describe('a Linkerd, whatever is seen, restarted and clicked, in whatever order', () => {
  it('never has a Pod that lacks the anchor of a leaf in use, and comes to rest', { timeout: 180_000 }, async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(acts)), { minLength: 8, maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(names, fc.boolean(), fc.constantFrom(...BEGINNINGS), async (sequence, tells, phase) => {
        const world = createLinkerdWorld()
        world.mesh.tells = tells
        if (phase === 'found') await world.found()
        else await world.established()
        if (phase !== 'found' && phase !== 'ours') {
          await world.rotate('root')
          await world.until(phase)
        }
        for (const name of sequence) {
          await acts[name]?.(world)
          check(world)
        }
        Object.assign(world.mesh, { isStuck: false, isCut: false, failures: { now: 0, before: 0 } })
        world.vault.interrupt = () => undefined
        await world.act('resume')
        for (let passed = 0; passed < 6 * DAY; passed += 2 * HOUR) {
          live(world, 2 * HOUR)
          world.restart()
          world.see()
          await world.advance()
        }
        const last = world.rotation()
        expect(last === undefined || isCaRotationOver(last), `${last?.phase}: ${last?.message}`).toBe(true)
      }),
      { numRuns: 10 },
    )
  })
})
