import { beforeEach, describe, expect, it } from 'vitest'
import { timestamp } from '../../../src/model/names.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.cluster.forget()
})

function setTimeout5s(manager: string): void {
  world.cluster.change(manager, 'VirtualService', 'web', (object) => {
    const http = (object.spec?.http ?? []) as Record<string, unknown>[]
    return { ...object, spec: { ...object.spec, http: http.map((entry) => ({ ...entry, timeout: '5s' })) } }
  })
}

function timeout(): unknown {
  return (world.cluster.peek('VirtualService', 'web')?.spec?.http as { timeout?: string }[] | undefined)?.[0]?.timeout
}

describe('an object of ours that another hand changed', () => {
  it('is restored, and the event says who changed what', async () => {
    setTimeout5s('kubectl-edit')
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(timeout()).toBeUndefined()
    expect(world.events()).toContain('placement.drift-restored')
    expect(JSON.stringify(world.placement.outbox)).toContain('was changed by kubectl-edit and is restored')
  })

  it('is restored when it was removed', async () => {
    world.cluster.objects.delete('networking.istio.io/v1/VirtualService/shop/web')
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.weights).toEqual({ v1: 100 })
    expect(world.placement.restores).toHaveLength(1)
  })

  it('is restored when our label was taken off', async () => {
    world.cluster.change('kubectl-label', 'VirtualService', 'web', (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: {} },
    }))
    await world.settle()
    expect(world.cluster.peek('VirtualService', 'web')?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'meshwright',
    })
  })

  it('is left and reported with onDrift report', async () => {
    world.spec({ onDrift: 'report' })
    await world.settle()
    setTimeout5s('kubectl-edit')
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'Reported' })
    expect(await world.reconcile()).toMatchObject({ reason: 'Reported' })
    expect(timeout()).toBe('5s')
    expect(world.message('Drifted')).toContain('spec.http')
  })

  it('is restored three times in ten minutes and then left until they have passed', async () => {
    for (let time = 0; time < 3; time += 1) {
      setTimeout5s('other-operator')
      await world.settle()
      expect(timeout()).toBeUndefined()
    }
    setTimeout5s('other-operator')
    const outcome = await world.reconcile()
    expect(outcome).toMatchObject({ state: 'stopped', reason: 'RestoredTooOften' })
    expect(timeout()).toBe('5s')
    expect(world.condition('Drifted')).toBe('True RestoredTooOften')
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(timeout()).toBeUndefined()
  })

  it('keeps its fields beside ours, and they are named', async () => {
    world.cluster.change('kubectl-edit', 'VirtualService', 'web', (object) => ({
      ...object,
      spec: { ...object.spec, exportTo: ['.'] },
    }))
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.condition('Drifted')).toBe('True FieldsAdded')
    expect(world.message('Drifted')).toContain('spec.exportTo')
  })

  it('is written anew when the other hand had set what was wanted then', async () => {
    world.rollout('progressing', 10)
    await world.settle()
    world.rollout('progressing', 25)
    world.moveWeights('kubectl-edit', { v1: 75, v2: 25 })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    world.rollout('progressing', 50)
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.weights).toEqual({ v1: 50, v2: 50 })
  })

  it('is no drift when our own answer was lost', async () => {
    const before = world.placement
    world.spec({ traffic: { timeout: '5s' } })
    await world.settle()
    world.store.put(before)
    await world.settle()
    expect(world.placement.restores).toEqual([])
    expect(world.placement.liveRevision).toBe(101)
  })
})

describe('weights that another hand moved', () => {
  beforeEach(async () => {
    world.rollout('progressing', 10)
    await world.settle()
    world.moveWeights('kubectl-edit', { v1: 50, v2: 50 })
  })

  it('are left during a rollout, which is told', async () => {
    world.store.put({ ...world.placement, outbox: [] })
    const at = timestamp(world.clock.at)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'WeightChanged' })
    expect(world.weights).toEqual({ v1: 50, v2: 50 })
    expect(world.condition('Drifted')).toBe('True WeightChanged')
    expect(world.placement).toMatchObject({ driftedAt: at, weights: { v1: 90, v2: 10 } })
    expect(world.work()).toContain('urgent advance')
  })

  it('are seen by the next step, which is not taken', async () => {
    world.rollout('progressing', 25)
    expect(await world.reconcile()).toMatchObject({ reason: 'WeightChanged' })
    expect(world.weights).toEqual({ v1: 50, v2: 50 })
  })

  it('are left though the step that was on its way comes after they were seen', async () => {
    await world.reconcile()
    world.rollout('progressing', 25)
    expect(await world.reconcile()).toMatchObject({ reason: 'WeightChanged' })
  })

  it('are set again once a person has resumed the rollout', async () => {
    await world.reconcile()
    world.clock.at += 60_000
    world.rollout('progressing', 10, timestamp(world.clock.at))
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    expect(world.condition('Drifted')).toBe('False None')
    expect(world.placement.driftedAt).toBeUndefined()
  })

  it('go back to stable when the rollout is aborted', async () => {
    world.rollout('rolling-back', 10)
    expect(await world.reconcile()).toMatchObject({ state: 'settling', weights: { v1: 100, v2: 0 } })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })

  it('go back to stable on a cluster that the rollout goes on without', async () => {
    world.rollout('paused', 0)
    world.service(({ rollouts }) => ({
      rollouts: rollouts.map((rollout) => ({
        ...rollout,
        targets: rollout.targets.map((target) => ({ ...target, out: 'harm' as const })),
      })),
    }))
    expect(await world.reconcile()).toMatchObject({ state: 'settling', weights: { v1: 100, v2: 0 } })
  })

  it('are restored like any change when no rollout is live', async () => {
    world.service((before) => ({ rollouts: [], renderRevision: before.renderRevision + 1 }))
    await world.settle()
    expect(world.weights).toEqual({ v1: 100 })
  })
})
