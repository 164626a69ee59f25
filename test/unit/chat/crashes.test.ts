import { describe, expect, it } from 'vitest'
import { type CommandDeps, carryOutCommand } from '../../../src/chat/carry-out-command.ts'
import { type AskedCommand, receiveCommand } from '../../../src/chat/receive-command.ts'
import type { CommandAnswer } from '../../../src/model/command.ts'
import { rollout, SHOP_GROUP, START, shopWorld, type World } from '../http/fixture.ts'

const DANA = '33333333-0000-4000-8000-000000000001'
const ASKED: AskedCommand = {
  name: 'c1',
  text: 'pause shop/web',
  from: { kind: 'entra', id: DANA },
  sender: 'Dana',
  origin: { kind: 'slack', ref: '#deploys' },
  replyTo: { kind: 'slack', url: 'https://hooks.slack.com/commands/1' },
}

function createShop(): World {
  const world = shopWorld({ rollouts: [rollout({ startedAt: new Date(START - 60_000).toISOString() })] })
  world.people.set(DANA, { id: DANA, name: 'Dana', kind: 'person', roles: ['Mesh.Deployer'], groups: [SHOP_GROUP] })
  world.clock.onSleep = () => new Promise(() => undefined)
  return world
}

/**
 * Deps of a process that dies at its `at`-th call of store, directory or messenger: just before the call has its effect, or
 * just after. `dead` resolves then; what the process had still to do never happens.
 */
function mortal({ deps }: World, at: number, when: 'before' | 'after') {
  let calls = 0
  let die: () => void = () => undefined
  const dead = new Promise<'dead'>((resolve) => {
    die = () => resolve('dead')
  })
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return async (...given: readonly unknown[]) => {
          calls += 1
          const dies = calls === at
          if (calls > at || (dies && when === 'before')) {
            die()
            return new Promise(() => undefined)
          }
          const result: unknown = await Reflect.apply(member, target, given)
          if (!dies) return result
          die()
          return new Promise(() => undefined)
        }
      },
    })
  const { store, directory, messenger } = deps
  const mortals: CommandDeps = {
    ...deps,
    store: guard(store),
    directory: guard(directory),
    messenger: guard(messenger),
  }
  return { deps: mortals, dead, calls: () => calls }
}

async function live(answerIsSent: boolean, at: number, when: 'before' | 'after') {
  const world = createShop()
  const process = mortal(world, at, when)
  const call = receiveCommand(process.deps, ASKED, { until: START + 60_000, answerIsSent })
  const answered = await Promise.race([call, process.dead])
  const paused = () => world.store.get('service', 'shop/web').rollouts[0]?.phase === 'paused'
  // Somebody resumes it before anybody else takes the command up: it must not be paused again.
  const wasPaused = paused()
  if (wasPaused) world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout()] }))
  for (let round = 0; round < 3; round += 1) {
    world.clock.time += 31_000
    await carryOutCommand(world.deps, ASKED.name, { isLate: () => true })
  }
  return { world, answered, wasPaused, paused, calls: process.calls() }
}

const told = (answered: CommandAnswer | 'dead' | undefined, world: World): boolean =>
  (answered !== 'dead' && answered !== undefined) || world.seen.sent.length > 0

describe.each([
  ['answered in the call', false],
  ['whose answer is sent', true],
] as const)('a command %s', (_, answerIsSent) => {
  it('is done once and not lost, wherever its process dies', async () => {
    const { calls: most } = await live(answerIsSent, Number.POSITIVE_INFINITY, 'before')
    expect(most).toBeGreaterThan(8)
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= most; at += 1) {
        const { world, answered, wasPaused, paused } = await live(answerIsSent, at, when)
        const where = `dies ${when} call ${at}`
        const command = world.store.peek('command', ASKED.name)
        if (!command) {
          expect([answered, wasPaused, paused()], where).toEqual(['dead', false, false])
          continue
        }
        expect(paused(), where).toBe(!wasPaused)
        expect(command, where).toMatchObject({ state: 'done', answer: { audience: 'channel' } })
        expect(command.owed, where).toBeUndefined()
        expect(command.dueAt, where).toBeUndefined()
        // An answer that was on its way to the asker is seen in the command.
        const isOnItsWay = !answerIsSent && when === 'after' && at === most
        expect(told(answered, world), where).toBe(!isOnItsWay)
        expect(world.seen.sent.length, where).toBeLessThanOrEqual(2)
      }
    }
  })
})
