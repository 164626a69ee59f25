import { beforeEach, describe, expect, test } from 'vitest'
import { READ_KINDS } from '../../../src/mesh/osm/migration/kinds.ts'
import { MIGRATED_FROM } from '../../../src/model/migration.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { REPLACEMENTS } from '../mesh/osm/migration/demo.ts'
import { START, serviceDocument } from './fixture.ts'

import {
  ALONE,
  apply,
  BODY,
  beginScene,
  clusters,
  ISTIO,
  PATH,
  planned,
  post,
  window,
  world,
} from './migration-scene.ts'

beforeEach(beginScene)

describe('in place', () => {
  const body = { inPlace: window(0.25, 0.75), replace: REPLACEMENTS, accept: ALONE }

  test('services wait on no cluster, and come to it by its label within the window', async () => {
    const held = await post(body)
    expect(held.json).toMatchObject({ stage: 'hold', target: 'east', ready: true })
    expect(held.json.services[0].plan.blocked.reason).toBe('NotSwitched')
    expect(held.json.services[0].plan.changes.map((one: { ref: { kind: string } }) => one.ref.kind)).toContain(
      'AuthorizationPolicy',
    )
    const applied = (await apply(body)).json.applied
    expect(applied.value.map(({ kind, result }: { kind: string; result: string }) => `${kind} ${result}`)).toEqual([
      'service created',
      'service created',
      'cluster updated',
    ])
    const east = (await world.store.read('cluster', 'east'))?.value
    expect(east?.spec.mode).toBe('observe')
    expect((await world.store.all('service')).map(({ targets }) => Object.keys(targets))).toEqual([[], []])

    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    clusters.objects.set('Deployment', [])
    const plan = await planned(body)
    expect(plan).toMatchObject({ stage: 'switch', ready: true, baseline: [] })
    expect(plan.permissive).toBeUndefined()
    expect(plan.services.map(({ result }: { result: string }) => result)).toEqual(['place', 'place'])
    const early = await apply(body)
    expect([early.status, early.json.errors[0].pointer]).toEqual([409, '/inPlace/window/from'])

    world.clock.time = START + 30 * 60_000
    expect((await apply(body)).json.applied.value).toEqual([{ kind: 'cluster', name: 'east', result: 'updated' }])
    const after = (await world.store.read('cluster', 'east'))?.value.spec
    expect(after).toMatchObject({ mode: 'manage', labels: { env: 'prod', [MIGRATED_FROM]: 'east' } })
  })

  test('the cluster is changed last, and not where a service could not be registered', async () => {
    const theirs = serviceDocument({ namespace: 'bookwarehouse', name: 'bookwarehouse', targets: {} })
    world.store.beforeWrite = () => void world.store.put(theirs)
    const { applied } = (await apply(body)).json
    expect(applied.value.map(({ kind, result }: { kind: string; result: string }) => `${kind} ${result}`)).toEqual([
      'service created',
      'service failed',
    ])
    expect(world.store.get('cluster', 'east').spec.mode).toBe('manage')
    world.store.beforeWrite = () => undefined
    const again = (await apply({ ...body, overwrite: ['bookwarehouse/bookwarehouse'] })).json
    expect(again.stage).toBe('hold')
    expect(again.applied.value.map(({ result }: { result: string }) => result)).toEqual([
      'unchanged',
      'updated',
      'updated',
    ])
    expect(world.store.get('cluster', 'east').spec.mode).toBe('observe')
  })

  test('a cluster that others changed meanwhile stays as they left it', async () => {
    world.store.beforeWrite = (_, document) => {
      if (document.kind !== 'service') return
      world.store.change('cluster', 'east', (one) => ({ ...one, spec: { ...one.spec, labels: { env: 'new' } } }))
    }
    const { applied } = (await apply(body)).json
    expect(applied.value.at(-1)).toMatchObject({ kind: 'cluster', result: 'failed', failure: { code: 'Conflict' } })
    expect(world.store.get('cluster', 'east').spec).toMatchObject({ mode: 'manage', labels: { env: 'new' } })
  })

  test('a cluster that has the label already is refused: services would not wait', async () => {
    world.store.change('cluster', 'east', (one) => ({
      ...one,
      spec: { ...one.spec, labels: { [MIGRATED_FROM]: 'east' } },
    }))
    const { status, json } = await post(body)
    expect([status, json.errors[0].pointer]).toEqual([422, 'path/cluster'])
  })

  test('a cluster with Istio that no service waits for is refused', async () => {
    const reply = await world.call('POST', PATH.replace('east', 'west'), { body })
    expect([reply.status, reply.json.errors[0].pointer]).toEqual([422, 'path/cluster'])
  })

  test('is held up while the controller of Open Service Mesh is there', async () => {
    await apply(body)
    const east = (await world.store.read('cluster', 'east'))?.value
    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    const { findings, ready } = await planned(body)
    expect([findings[0].code, ready]).toEqual(['BothMeshes', false])
  })

  test('is held up while nobody can say whether that controller is there', async () => {
    await apply(body)
    world.store.change('cluster', 'east', (one) => ({ ...one, ...ISTIO }))
    clusters.failures.set('list Deployment', new PortError('denied', 'Kubernetes', 'forbidden'))
    const { findings, ready } = await planned(body)
    expect([findings[0].code, ready]).toEqual(['NotSeen', false])
  })

  test('is held up while Pods have no proxy of Istio', async () => {
    await apply(body)
    const east = (await world.store.read('cluster', 'east'))?.value
    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    clusters.objects.set('Deployment', [])
    const pod = (name: string, annotations = {}) => ({
      ...READ_KINDS.pods,
      metadata: { namespace: 'bookstore', name, labels: { app: 'bookstore' }, annotations },
    })
    clusters.objects.set('Pod', [pod('old'), pod('new', { 'sidecar.istio.io/status': '{}' })])
    const { findings, ready } = await planned(body)
    expect([findings.length, findings[0].code, findings[0].message, ready]).toEqual([
      1,
      'PodsNotRestarted',
      '1 Pods: bookstore/old.',
      false,
    ])
  })

  test('a service that is on the cluster already stays as it is', async () => {
    await apply(BODY)
    const theirs = (await world.store.read('service', 'bookstore/bookstore'))?.value
    if (!theirs) throw new Error('it was not registered')
    const spec = { ...theirs.spec, clusters: ['east'] }
    world.store.put({ ...theirs, spec, targets: { east: { stable: 'v1' } } })
    const { services } = await planned({ ...body, overwrite: ['bookstore/bookstore'] })
    expect(services[0].result).toBe('left')
  })
})
