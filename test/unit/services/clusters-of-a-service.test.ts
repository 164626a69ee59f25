import { beforeEach, describe, expect, it } from 'vitest'
import { chooseClusters, retarget } from '../../../src/services/choose-clusters.ts'
import { deleteService } from '../../../src/services/delete-service.ts'
import { observedGeneration, readPlacements } from '../../../src/services/read-placements.ts'
import { selectClusters } from '../../../src/services/select-clusters.ts'
import { AT, aCaller, aCluster, aPlacement, aService, aTeam, by, eventsIn, spec, workIn } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aPolicy } from '../policies/documents.ts'
import { aRollout, aTarget } from '../rollouts/fixture.ts'

const clock = { now: () => Date.parse(AT), sleep: async () => undefined }
const byLabel = spec({ clusters: { matchLabels: { env: 'prod' } } })
const labelled = (name: string, env: string, change = {}) =>
  aCluster(name, { spec: { ...aCluster(name).spec, labels: { env } }, ...change })

let store: MemoryStore
beforeEach(() => {
  store = new MemoryStore()
  store.put(aTeam())
})
const service = () => store.get('service', 'shop/web')

describe('the clusters of a service', () => {
  it('are those that it names, once each', () => {
    expect(chooseClusters(spec({ clusters: ['west', 'east', 'west'] }), [])).toEqual(['east', 'west'])
  })

  it('are those whose labels fit and that stay', () => {
    const clusters = [labelled('west', 'prod'), labelled('east', 'prod'), labelled('test', 'test')]
    expect(chooseClusters(byLabel, clusters)).toEqual(['east', 'west'])
    expect(chooseClusters(byLabel, [labelled('east', 'prod', { deletingAt: AT })])).toEqual([])
  })

  it('keep their stable version; new ones get the initial version or what an import names', () => {
    const before = { targets: { east: { stable: 'v2' } }, leaving: ['south'] }
    expect(retarget(before, ['east', 'west', 'north'], 'v1', { north: 'v3', east: 'v3' })).toEqual({
      targets: { east: { stable: 'v2' }, west: { stable: 'v1' }, north: { stable: 'v3' } },
      leaving: ['south'],
    })
  })

  it('are left once each, in order, until they come back', () => {
    const before = { targets: { west: { stable: 'v1' }, east: { stable: 'v1' } }, leaving: ['west', 'south'] }
    expect(retarget(before, [], 'v1')).toEqual({ targets: {}, leaving: ['east', 'south', 'west'] })
    expect(retarget(before, ['south'], 'v1').leaving).toEqual(['east', 'west'])
  })
})

describe('when clusters come, go or change their labels', () => {
  const select = () => selectClusters({ store, clock })

  it('a service that chooses by label follows, with one write', async () => {
    for (const document of [labelled('east', 'test'), labelled('north', 'prod'), labelled('west', 'prod')])
      store.put(document)
    store.put(aService({ spec: byLabel }))
    expect(await select()).toEqual({ ok: true, value: undefined })
    expect(service()).toMatchObject({ leaving: ['east'], renderRevision: 101, generation: 1 })
    expect(Object.keys(service().targets).sort()).toEqual(['north', 'west'])
    expect(eventsIn(service().outbox)).toEqual(['service.clusters'])
    expect(workIn(service().outbox)).toEqual(['work reconcile north', 'work reconcile west', 'work reconcile east'])
  })

  it('writes nothing the second time, whatever the names are', async () => {
    for (const name of ['10', '9', 'a']) store.put(labelled(name, 'prod'))
    store.put(aService({ spec: byLabel, targets: {} }))
    await select()
    expect(store.writes).toBe(1)
    await select()
    expect(store.writes).toBe(1)
  })

  it('services that name their clusters, or go, stay as they are', async () => {
    store.put(aService())
    store.put(aService({ name: 'cart', spec: byLabel, deletingAt: AT }))
    await select()
    expect(store.writes).toBe(0)
  })

  it('overrides that are chosen by label follow, with one write, and again with none', async () => {
    const overrides = [{ clusters: { matchLabels: { env: 'prod' } }, traffic: { timeout: '1s' } }]
    store.put(labelled('east', 'prod'))
    store.put(labelled('west', 'test'))
    store.put(aService({ spec: spec({ overrides }), overridesOn: { east: [0], west: [] } }))
    await select()
    expect(store.writes).toBe(0)
    store.put(labelled('west', 'prod'))
    await select()
    expect(service()).toMatchObject({ overridesOn: { east: [0], west: [0] }, renderRevision: 101 })
    expect(eventsIn(service().outbox)).toEqual(['service.overrides'])
    expect(workIn(service().outbox)).toEqual(['work reconcile east', 'work reconcile west'])
    await select()
    expect(store.writes).toBe(1)
  })

  it('a service takes the policies of a cluster that it comes to', async () => {
    for (const document of [labelled('east', 'prod'), labelled('west', 'prod')]) store.put(document)
    store.put(aPolicy('limits', { clusters: ['west'] }))
    store.put(aService({ spec: byLabel, targets: { east: { stable: 'v1' } } }))
    await select()
    expect(service().layers).toMatchObject([{ name: 'limits', clusters: ['west'] }])
  })

  it('a live rollout keeps its cluster until it ends', async () => {
    store.put(labelled('west', 'prod'))
    const rollouts = [aRollout('progressing', { targets: [aTarget('east', 10)] })]
    store.put(aService({ spec: byLabel, rollouts }))
    await select()
    expect(Object.keys(service().targets)).toEqual(['east', 'west'])
    store.put(aService({ spec: byLabel }))
    await select()
    expect(service()).toMatchObject({ leaving: ['east'] })
  })

  it('one on its way back does not', async () => {
    store.put(labelled('west', 'prod'))
    const rollouts = [aRollout('rolling-back', { targets: [aTarget('east', 0)] })]
    store.put(aService({ spec: byLabel, rollouts }))
    await select()
    expect(service()).toMatchObject({ leaving: ['east'] })
  })

  it('does the others when it loses its race on one, and says so', async () => {
    store.put(labelled('west', 'prod'))
    store.put(aService({ spec: byLabel }))
    store.put(aService({ name: 'cart', spec: byLabel }))
    store.beforeWrite = (_, document) => {
      if (document.kind === 'service' && document.name === 'cart') {
        store.change('service', 'shop/cart', (cart) => ({ ...cart, generation: cart.generation + 1 }))
      }
    }
    expect(await select()).toMatchObject({ ok: false, failure: { code: 'WriteConflict' } })
    expect(service()).toMatchObject({ leaving: ['east'] })
  })
})

describe('a service that is deleted', () => {
  const remove = (context = by()) => deleteService({ store, clock }, 'shop', 'web', context)

  it('leaves its clusters first', async () => {
    store.put(aService())
    expect(await remove()).toEqual({ ok: true, value: { removed: false } })
    expect(service()).toMatchObject({ deletingAt: AT, targets: {}, leaving: ['east', 'west'], renderRevision: 101 })
    expect(eventsIn(service().outbox)).toEqual(['service.deleting'])
    expect(workIn(service().outbox)).toEqual(['work reconcile east', 'work reconcile west'])
  })

  it('is gone at once when it is on no cluster', async () => {
    store.put(aService({ targets: {} }))
    expect(await remove()).toEqual({ ok: true, value: { removed: true } })
    expect(store.peek('service', 'shop/web')).toBeUndefined()
  })

  it('is not deleted twice', async () => {
    store.put(aService())
    await remove()
    expect(await remove()).toEqual({ ok: true, value: { removed: false } })
    expect(store.writes).toBe(1)
  })

  it.each([
    ['when there is none', undefined, by(), 'NotFound'],
    ['under a live rollout', aService({ rollouts: [aRollout('baking')] }), by(), 'RolloutInFlight'],
    ['for people of other teams', aService(), by({ caller: aCaller({ groups: [] }) }), 'Forbidden'],
    ['when it has changed', aService(), by({ ifMatch: ['"old"'] }), 'PreconditionFailed'],
  ])('is refused %s', async (_, document, context, code) => {
    if (document) store.put(document)
    expect(await remove(context)).toMatchObject({ ok: false, failure: { code } })
    expect(store.writes).toBe(0)
  })
})

describe('what of a service is carried out', () => {
  it('is what every cluster has carried out', async () => {
    const web = aService({ generation: 4 })
    expect(observedGeneration(web, [aPlacement('east', { observedGeneration: 4 })])).toBe(0)
    const both = [aPlacement('east', { observedGeneration: 4 }), aPlacement('west', { observedGeneration: 3 })]
    expect(observedGeneration(web, both)).toBe(3)
    expect(observedGeneration({ ...web, targets: {} }, [])).toBe(4)
  })

  it('is not all while a cluster has yet to be left', () => {
    const web = aService({ generation: 4, targets: {}, leaving: ['east'] })
    expect(observedGeneration(web, [])).toBe(3)
  })

  it('is read from its own placements alone', async () => {
    for (const cluster of ['west', 'east']) store.put(aPlacement(cluster))
    store.put(aPlacement('east', { service: 'shop/web2' }))
    expect((await readPlacements(store, aService())).map(({ cluster }) => cluster)).toEqual(['east', 'west'])
  })
})
