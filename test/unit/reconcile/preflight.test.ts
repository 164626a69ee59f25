import { beforeEach, describe, expect, it } from 'vitest'
import type { RolloutPhase } from '../../../src/model/rollout.ts'
import { PortError, type PortErrorKind } from '../../../src/ports/port-error.ts'
import { autoscaler, budget, deployment } from './workloads.ts'
import { World } from './world.ts'

const KINDS = ['list Deployment', 'list HorizontalPodAutoscaler', 'list PodDisruptionBudget']
const WIDE = { matchLabels: { app: 'web' } }

let world: World
beforeEach(async () => {
  world = new World()
  world.cluster.edit('kubectl', deployment('web-v1', { app: 'web', version: 'v1' }))
  world.cluster.edit('kubectl', deployment('web-v2', { app: 'web', version: 'v2' }))
  await world.settle()
  world.cluster.forget()
})

function widen(name: string, version: string): void {
  world.cluster.edit('kubectl', deployment(name, { app: 'web', version }, WIDE))
}

function looked(): readonly string[] {
  return world.cluster.forget().filter((request) => KINDS.includes(request))
}

/** A rollout in a phase whose candidate was given this much once. */
function rolloutWith(phase: RolloutPhase, highestWeight: number): void {
  world.rollout(phase, 0)
  world.service(({ rollouts }) => ({
    rollouts: rollouts.map((rollout) => ({
      ...rollout,
      targets: rollout.targets.map((target) => ({ ...target, highestWeight })),
    })),
  }))
}

describe('the workloads of two versions', () => {
  it.each(['pending', 'preflight', 'paused', 'progressing'] as const)(
    'are looked at in phase %s while the candidate has got nothing',
    async (phase) => {
      world.rollout(phase, 0)
      await world.reconcile()
      expect(looked().toSorted()).toEqual(KINDS)
      await world.settle()
      expect(world.condition('VersionsApart')).toBe('True Apart')
      expect(world.placement.preflight).toEqual({ revision: 101, warnings: [] })
    },
  )

  it('are not looked at without a rollout, in a step, on the way back, or after the candidate had something', async () => {
    await world.reconcile()
    world.rollout('progressing', 10)
    await world.settle()
    world.rollout('rolling-back', 0)
    await world.settle()
    rolloutWith('progressing', 10)
    await world.settle()
    expect(looked()).toEqual([])
    expect(world.condition('VersionsApart')).toBeUndefined()
  })

  it('are said to overlap, naming both; the candidate stays in the route without weight', async () => {
    widen('web-v1', 'v1')
    world.rollout('preflight', 0)
    await world.reconcile()
    expect(world.condition('VersionsApart')).toBe('False SelectorsOverlap')
    expect(world.message('VersionsApart')).toContain('Deployment shop/web-v1 (v1) also takes the Pods of Deployment')
    await world.settle(5)
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })

  it('ask the rollout to look when they overlap, and again at another revision', async () => {
    widen('web-v2', 'v2')
    world.store.put({ ...world.placement, outbox: [] })
    world.rollout('preflight', 0)
    await world.reconcile()
    expect(world.work()).toContain('urgent advance')
    world.store.put({ ...world.placement, outbox: [] })
    world.rollout('preflight', 0)
    await world.reconcile()
    expect(world.work()).toContain('urgent advance')
  })

  it('are looked at less and less often while a rollout that waits for its place would be refused', async () => {
    widen('web-v1', 'v1')
    world.rollout('pending', 0)
    await world.settle(6)
    const waits: number[] = []
    for (let pass = 0; pass < 8; pass += 1) {
      const from = world.clock.at
      world.clock.at = Date.parse((await world.reconcile()).again ?? '')
      waits.push(world.clock.at - from)
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(waits.at(-1)).toBe(15_000)
    world.cluster.edit('kubectl', deployment('web-v1', { app: 'web', version: 'v1' }))
    await world.settle()
    expect(world.condition('VersionsApart')).toBe('True Apart')
    expect(world.placement.dueAt).toBeUndefined()
  })

  it('leave warnings for the rollout', async () => {
    world.cluster.edit('kubectl', budget('web', { app: 'web' }))
    world.cluster.edit('kubectl', autoscaler('web', 'web-v1'))
    world.rollout('preflight', 0)
    await world.settle()
    expect(world.condition('VersionsApart')).toBe('True Apart')
    expect(world.placement.preflight?.warnings).toEqual([
      expect.stringContaining('PodDisruptionBudget shop/web takes the Pods of both v1 and v2'),
    ])
  })

  it('keep what was said while steps go on, and are unknown again when the rollout is over', async () => {
    world.rollout('preflight', 0)
    await world.settle()
    world.rollout('progressing', 10)
    await world.settle()
    expect(world.condition('VersionsApart')).toBe('True Apart')
    world.service(({ renderRevision }) => ({ renderRevision: renderRevision + 1, rollouts: [] }))
    await world.settle()
    expect(world.condition('VersionsApart')).toBe('Unknown NoRollout')
    expect(world.placement).not.toHaveProperty('preflight')
  })

  it.each([
    ['denied', 'the right to list them is missing'],
    ['not-found', 'the cluster does not know them'],
  ] as const)('that cannot be listed (%s) are a warning, not a stop', async (kind, why) => {
    world.cluster.before = (request) => {
      if (request === 'list HorizontalPodAutoscaler') throw new PortError(kind, 'Kubernetes east', 'in its own words')
    }
    world.rollout('preflight', 0)
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.condition('VersionsApart')).toBe('Unknown NotSeen')
    const warning = `whether selectors of HorizontalPodAutoscalers overlap is not known: ${why}`
    expect(world.message('VersionsApart')).toBe(`Not all was seen: ${warning}.`)
    expect(world.placement.preflight?.warnings).toEqual([warning])
  })

  it('still are refused for what was seen of them', async () => {
    widen('web-v1', 'v1')
    world.cluster.before = (request) => {
      if (request === 'list PodDisruptionBudget') throw new PortError('denied', 'Kubernetes east', 'no')
    }
    world.rollout('preflight', 0)
    await world.settle(5)
    expect(world.condition('VersionsApart')).toBe('False SelectorsOverlap')
  })

  it.each<PortErrorKind>(['unavailable', 'throttled'])(
    'are looked at again when the cluster answers %s',
    async (kind) => {
      world.cluster.before = (request) => {
        if (request === 'list Deployment') throw new PortError(kind, 'Kubernetes east', 'later')
      }
      world.rollout('preflight', 0)
      expect(await world.reconcile()).toMatchObject({ state: 'failed' })
      expect(world.placement).not.toHaveProperty('preflight')
      world.cluster.before = () => undefined
      expect(await world.settle()).toMatchObject({ state: 'live' })
      expect(world.condition('VersionsApart')).toBe('True Apart')
    },
  )
})
