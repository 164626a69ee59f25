import { beforeEach, describe, expect, it } from 'vitest'
import { deleteCluster } from '../../../src/clusters/delete-cluster.ts'
import { finishDelete } from '../../../src/clusters/finish-delete.ts'
import { selectClusters } from '../../../src/services/select-clusters.ts'
import { aCluster, aService, by, eventsIn, spec, workIn } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget, later, MINUTE, SECOND, T0 } from '../rollouts/fixture.ts'

let store: MemoryStore
let now: number
beforeEach(() => {
  store = new MemoryStore()
  now = T0
  store.put(aCluster('east'))
})

const clock = { now: () => now, sleep: async () => undefined }
const remove = (options = {}, context = by()) => deleteCluster({ store, clock }, 'east', context, options)
const finish = () => finishDelete({ store, clock }, 'east')
const select = () => selectClusters({ store, clock })
const east = () => store.get('cluster', 'east')
const byLabel = (change = {}) =>
  aService({
    spec: spec({ clusters: { matchLabels: { env: 'prod' } } }),
    targets: { east: { stable: 'v1' } },
    ...change,
  })

describe('a cluster that is let go', () => {
  it('is gone at once when no service is on it', async () => {
    expect(await remove()).toEqual({ ok: true, value: undefined })
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })

  it('stays while services name it, which are told', async () => {
    store.put(aService())
    expect(await remove()).toMatchObject({
      ok: false,
      failure: { code: 'InUse', detail: 'Cluster east is named by service shop/web.', hint: expect.any(String) },
    })
    expect(await remove({ orphan: true })).toMatchObject({ ok: false, failure: { code: 'InUse' } })
    expect(store.writes).toBe(0)
  })

  it('is marked first when services chose it by label, so that they choose without it', async () => {
    store.put(byLabel())
    expect(await remove()).toEqual({ ok: true, value: undefined })
    expect(east()).toMatchObject({ deletingAt: later(0), dueAt: later(0) })
    expect(eventsIn(east().outbox)).toEqual(['cluster.deleting'])
    expect(workIn(east().outbox)).toEqual(['work select east'])
    await select()
    expect(store.get('service', 'shop/web')).toMatchObject({ targets: {}, leaving: ['east'] })
  })

  it('stays marked until the last service has left it', async () => {
    store.put(byLabel({ targets: {}, leaving: ['east'] }))
    await remove()
    await finish()
    expect(east()).toMatchObject({ dueAt: later(5 * SECOND) })
    store.put(byLabel({ targets: {} }))
    now = T0 + 5 * SECOND
    await finish()
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })

  it('is not let go twice', async () => {
    store.put(byLabel())
    await remove()
    now = T0 + SECOND
    await remove()
    expect(store.writes).toBe(1)
    expect(east()).toMatchObject({ deletingAt: later(0) })
  })

  it.each([
    ['when there is none', 'west', by(), 'NotFound'],
    ['when it has changed since it was read', 'east', by({ ifMatch: ['"old"'] }), 'PreconditionFailed'],
  ])('is refused %s', async (_, name, context, code) => {
    expect(await deleteCluster({ store, clock }, name, context)).toMatchObject({ ok: false, failure: { code } })
    expect(store.peek('cluster', 'east')).toBeDefined()
  })
})

describe('the end of a deletion', () => {
  beforeEach(async () => {
    store.put(byLabel({ targets: {}, leaving: ['east'] }))
    await remove()
    store.change('cluster', 'east', (cluster) => ({ ...cluster, outbox: [] }))
    store.writes = 0
  })

  it('is asked for again, once, however many ask meanwhile', async () => {
    await finish()
    await finish()
    now = T0 + 4 * SECOND
    await finish()
    expect(store.writes).toBe(1)
    expect(workIn(east().outbox)).toEqual(['work probe east'])
  })

  it('is asked for less and less often', async () => {
    const pauses: number[] = []
    for (let look = 0; look < 30; look += 1) {
      await finish()
      const due = Date.parse(east().dueAt ?? '')
      pauses.push(due - now)
      now = due
    }
    expect(pauses[0]).toBe(5 * SECOND)
    expect(pauses.at(-1)).toBe(5 * MINUTE)
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
  })

  it('is nothing to a cluster that stays, or is not there', async () => {
    store.put(aCluster('east'))
    await finish()
    store.drop('cluster', 'east')
    await finish()
    expect(store.writes).toBe(0)
  })
})

describe('a cluster that is gone', () => {
  it('is let go without removing anything there: services only have to leave it', async () => {
    store.put(byLabel())
    await remove({ orphan: true })
    expect(eventsIn(east().outbox)).toEqual(['cluster.orphaned'])
    await select()
    await finish()
    expect(store.peek('cluster', 'east')).toBeUndefined()
    expect(store.get('service', 'shop/web')).toMatchObject({ targets: {}, leaving: ['east'] })
    expect(workIn(store.get('service', 'shop/web').outbox)).toContain('work reconcile east')
  })

  it('can be let go so though it is being let go the other way already', async () => {
    store.put(byLabel({ targets: {}, leaving: ['east'] }))
    await remove()
    now = T0 + MINUTE
    await remove({ orphan: true })
    expect(east()).toMatchObject({ orphan: true, deletingAt: later(0) })
    await finish()
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })

  it('is kept while a live rollout needs it, and no longer when that goes back', async () => {
    const rollout = (phase: 'progressing' | 'rolling-back') => aRollout(phase, { targets: [aTarget('east', 10)] })
    store.put(byLabel({ rollouts: [rollout('progressing')] }))
    await remove({ orphan: true })
    await select()
    await finish()
    expect(east()).toMatchObject({ orphan: true })
    store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout('rolling-back')] }))
    await select()
    now = Date.parse(east().dueAt ?? '')
    await finish()
    expect(store.peek('cluster', 'east')).toBeUndefined()
  })
})
