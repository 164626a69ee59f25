import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rootsOf } from '../../../src/authority/trust.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld, DAY, HOUR, MINUTE, OPERATOR, type World } from './world.ts'

const DENIED = new PortError('denied', 'Key Vault', 'Forbidden by RBAC')
const LOST = new PortError('unavailable', 'Key Vault', 'no answer')

/** istiod may be stuck for as long as it likes, where its metrics tell; where they do not, it polls as it should. */
interface Run extends World {
  isStuck: boolean
}

type Act = (run: Run) => unknown

/** Time, in steps: Pods renew as they do, istiod polls unless it is stuck; nobody looks. */
function live(run: Run, ms: number): void {
  for (let passed = 0; passed < ms; passed += 10 * MINUTE) {
    run.pass(10 * MINUTE)
    if (!run.isStuck) run.mesh.poll(run.now())
    run.mesh.renew(run.now())
    check(run)
  }
}

function loseOnce({ vault }: Run, when: 'before' | 'after', part: string): void {
  vault.interrupt = (call, moment) => {
    if (moment !== when || !call.startsWith(part)) return
    vault.interrupt = () => undefined
    throw LOST
  }
}

/** The CSI driver polls while the four are written: it mounts a new certificate beside an old key. */
function pollAt({ vault, mesh, now }: Run, part: string): void {
  vault.interrupt = (call, moment) => {
    if (moment === 'after' && call.startsWith(part)) mesh.poll(now())
  }
}

/** As `loseOnce`, for good: until it is allowed again. */
function deny({ vault }: Run, part: string): void {
  vault.interrupt = (call, moment) => {
    if (moment === 'before' && call.startsWith(part)) throw DENIED
  }
}

const acts: Readonly<Record<string, Act>> = {
  advance: (run) => run.advance(),
  'look and advance': async (run) => {
    run.see()
    await run.advance()
  },
  'two at once': (run) => Promise.all([run.advance(), run.advance()]),
  minutes: (run) => live(run, 20 * MINUTE),
  hours: (run) => live(run, 7 * HOUR),
  'more than a day': (run) => live(run, 26 * HOUR),
  look: (run) => run.see(),
  'a look failed': (run) =>
    run.store.put({ ...run.mesh.look(run.now()), state: 'failed', reason: 'Unreachable', message: 'No.' }),
  'a Pod starts': (run) => run.mesh.start(run.now()),
  'all Pods start anew': (run) => run.mesh.restartAll(run.now()),
  'istiod is stuck': (run) => {
    if (run.mesh.tells) run.isStuck = true
  },
  'istiod goes on': (run) => {
    run.isStuck = false
  },
  root: (run) => rotateCa(run.deps, 'east-ca', { what: 'root' }, OPERATOR),
  intermediate: (run) => rotateCa(run.deps, 'east-ca', { what: 'intermediate' }, OPERATOR),
  pause: (run) => run.act('pause'),
  resume: (run) => run.act('resume'),
  abort: (run) => run.act('abort'),
  'request lost': (run) => loseOnce(run, 'before', 'set'),
  'answer lost': (run) => loseOnce(run, 'after', 'set ca-'),
  'a poll in mid-write': (run) => pollAt(run, 'set ca-cert'),
  'a poll at each secret': (run) => pollAt(run, 'set '),
  'the key is denied': (run) => deny(run, 'set ca-key'),
  'all is denied': (run) => deny(run, 'set '),
  'all is allowed': ({ vault }) => {
    vault.interrupt = () => undefined
  },
  'another hand': (run) => run.vault.put('ca-cert', run.vault.peek('ca-cert')?.value ?? ''),
  'failures rise': (run) => {
    run.mesh.failures = { now: 100, before: 1 }
  },
  'failures fall': (run) => {
    run.mesh.failures = { now: 0, before: 0 }
  },
}

function check({ mesh, vault, now }: Run): void {
  expect(mesh.broken(now()), 'a client meets a leaf whose root it lacks').toBe(0)
  const wanted = rootsOf(vault.peek('root-cert')?.value ?? '')
  const trusted = wanted.ok ? wanted.value.map(({ fingerprint }) => fingerprint) : []
  for (const root of mesh.inUse(now())) expect(trusted, 'the vault lacks the root of a leaf in use').toContain(root)
}

/** How far a rotation of the root is when it all begins. */
const BEGINNINGS = ['none', 'trusting', 'switching', 'renewing', 'narrowing'] as const

describe('whatever is seen and clicked, in whatever order', () => {
  it('no root goes while a leaf of it may be in use, and it comes to rest', { timeout: 180_000 }, async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(acts)), { minLength: 8, maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(names, fc.boolean(), fc.constantFrom(...BEGINNINGS), async (sequence, tells, phase) => {
        const run: Run = Object.assign(createWorld(), { isStuck: false })
        run.mesh.tells = tells
        await run.established()
        if (phase !== 'none') {
          await run.rotate('root')
          await run.until(phase)
        }
        for (const name of sequence) {
          await acts[name]?.(run)
          check(run)
        }
        run.isStuck = false
        run.vault.interrupt = () => undefined
        run.mesh.failures = { now: 0, before: 0 }
        await run.act('resume')
        for (let passed = 0; passed < 5 * DAY; passed += 2 * HOUR) {
          live(run, 2 * HOUR)
          run.see()
          await run.advance()
        }
        const last = run.rotation()
        expect(last === undefined || isCaRotationOver(last), `${last?.phase}: ${last?.message}`).toBe(true)
        const issued = run.document().conditions.find(({ type }) => type === 'Issued')
        if (!sequence.includes('another hand')) expect(issued).toMatchObject({ status: 'True', reason: 'Current' })
      }),
      { numRuns: 12 },
    )
  })
})
