import { beforeEach, describe, expect, test } from 'vitest'
import { READ_KINDS } from '../../../src/mesh/osm/migration/kinds.ts'
import { keyOf } from '../../../src/model/documents.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { demo, REPLACEMENTS } from '../mesh/osm/migration/demo.ts'
import { SHOP_GROUP, START, serviceDocument, teamDocument } from './fixture.ts'

import {
  ALONE,
  apply,
  BODY,
  beginScene,
  clusters,
  hold,
  PATH,
  planned,
  post,
  stored,
  window,
  world,
} from './migration-scene.ts'

beforeEach(beginScene)

describe('a plan', () => {
  test('says all, and changes nothing', async () => {
    const { status, json } = await post(BODY)
    expect(status).toBe(200)
    expect(json).toMatchObject({ cluster: 'east', stage: 'target', target: 'west', permissive: false, ready: true })
    expect(json.services.map((one: { name: string; result: string }) => [one.name, one.result])).toEqual([
      ['bookstore', 'create'],
      ['bookwarehouse', 'create'],
    ])
    expect(json.services[0].spec).toMatchObject({ team: 'books', clusters: ['west'] })
    expect(json.services[0].plan.changes).toHaveLength(1)
    expect(world.seen.planned).toEqual(['bookstore/bookstore west', 'bookwarehouse/bookwarehouse west'])
    expect(json.callers[0]).toEqual({ from: 'bookbuyer/bookbuyer', to: 'bookstore/bookstore', after: 'less' })
    expect(json.baseline.map((one: { kind: string }) => one.kind)).toContain('AuthorizationPolicy')
    expect(json.steps.join('\n')).toContain('istio.io/rev=asm-1-30')
    expect(json.applied).toBeUndefined()
    expect(await stored()).toEqual([])
  })

  test('is the same while nothing changes, and another when something does', async () => {
    const { digest } = await planned(BODY)
    expect((await planned(BODY)).digest).toBe(digest)
    expect((await planned({ target: 'west' })).digest).not.toBe(digest)
    hold(demo({ permissive: true }))
    expect((await planned(BODY)).digest).not.toBe(digest)
  })

  test('keeps its digest while Pods come and go', async () => {
    const job = (name: string) => ({
      ...READ_KINDS.pods,
      metadata: { namespace: 'bookthief', name, labels: { app: 'job', 'osm-proxy-uuid': 'x' } },
      spec: {},
    })
    clusters.objects.set('Pod', [job('job-1')])
    const { digest, findings } = await planned(BODY)
    expect(findings[0].message).toContain('Pod bookthief/job-1')
    clusters.objects.set('Pod', [job('job-2')])
    expect((await planned(BODY)).digest).toBe(digest)
  })

  test('tells kinds that may not be read', async () => {
    clusters.failures.set('list TrafficTarget', new PortError('denied', 'Kubernetes', 'forbidden'))
    const { findings, ready } = await planned(BODY)
    expect(findings[0]).toMatchObject({ code: 'NotSeen', severity: 'error' })
    expect(ready).toBe(false)
  })

  test('lets everybody in where the permissive mode is on', async () => {
    hold(demo({ permissive: true }))
    const { permissive, callers, baseline, services } = await planned({ target: 'west' })
    expect([permissive, callers]).toEqual([true, []])
    expect(new Set(baseline.map((one: { kind: string }) => one.kind))).toEqual(new Set(['PeerAuthentication']))
    expect(services[0].spec.security.authorization.allow).toEqual([{ name: 'mesh', ports: ['bookstore-port'] }])
  })

  test('is not ready while Pods would be left that nothing guards', async () => {
    const { ready, findings } = await planned({ target: 'west', replace: REPLACEMENTS })
    const errors = findings.filter(({ severity }: { severity: string }) => severity === 'error')
    expect([ready, errors.map(({ code }: { code: string }) => code)]).toEqual([false, ALONE])
  })

  test('is not ready while requests without mutual TLS are seen, as a PUT would not be', async () => {
    const metrics = new FakeMetrics()
    Object.assign(world.deps, { metrics })
    const labels = {
      reporter: 'destination',
      destination_service_namespace: 'bookstore',
      destination_service_name: 'bookstore',
      connection_security_policy: 'none',
      source_workload: 'batch',
      source_workload_namespace: 'legacy',
    }
    metrics.put('west', 'istio_requests_total', labels, [
      [START - 3_590_000, 0],
      [START - 60_000, 7],
    ])
    const { ready, findings } = await planned(BODY)
    const told = findings.filter(({ code }: { code: string }) => code === 'PlainCallers')
    expect([ready, told.length, told[0].code, told[0].object]).toEqual([
      false,
      1,
      'PlainCallers',
      'service bookstore/bookstore',
    ])
    expect(told[0].message).toContain('legacy/batch')
    expect((await apply(BODY)).status).toBe(422)
    const waiving = { ...BODY, accept: [...ALONE, 'PlainCallers'] }
    expect((await apply(waiving)).json.applied.failed).toBe(0)
    expect(world.store.get('service', 'bookstore/bookstore').spec.waive).toEqual(['PlainCallers'])
  })

  test('tells once that it is not known who calls without mutual TLS', async () => {
    const { findings } = await planned(BODY)
    const told = findings.filter(({ code }: { code: string }) => code === 'PlainCallersUnknown')
    expect([told.length, told[0].severity]).toEqual([1, 'warning'])
    expect(told[0].message).toContain('nor of 1 other placements')
  })

  test('names what is in the way of each service', async () => {
    world.store.put(teamDocument('also', { namespaces: ['bookstore'] }))
    const { findings, services } = await planned(BODY)
    expect(findings.map(({ code }: { code: string }) => code)).toContain('TeamMissing')
    expect(services[0].result).toBe('left')
    expect((await planned({ ...BODY, team: 'also' })).services[0].result).toBe('create')
  })
})

describe('an apply', () => {
  test('registers what was looked at, and once more changes nothing', async () => {
    const { status, json } = await apply(BODY)
    expect(status).toBe(200)
    expect(json.applied).toEqual({
      value: ['bookstore/bookstore', 'bookwarehouse/bookwarehouse'].map((name) => ({
        kind: 'service',
        name,
        result: 'created',
      })),
      failed: 0,
    })
    const [service] = await world.store.all('service')
    expect(service?.spec).toEqual(json.services[0].spec)
    expect(Object.keys(service?.targets ?? {})).toEqual(['west'])
    const again = await apply(BODY)
    expect(again.json.applied.value.map(({ result }: { result: string }) => result)).toEqual(['unchanged', 'unchanged'])
  })

  test('with an Idempotency-Key is done once, and never with another body', async () => {
    const headers = { 'idempotency-key': 'k1' }
    const first = await apply(BODY, { headers })
    const again = await apply(BODY, { headers })
    expect([first.status, again.status]).toEqual([200, 200])
    expect((await world.store.all('service')).map(({ generation }) => generation)).toEqual([1, 1])
    const other = await apply({ ...BODY, team: 'books' }, { headers })
    expect(other.json.applied.value.map((item: { failure?: { code: string } }) => item.failure?.code)).toEqual([
      'IdempotencyMismatch',
      'IdempotencyMismatch',
    ])
  })

  test('of another digest is refused', async () => {
    const { status, json } = await post({ ...BODY, apply: true, digest: 'old' })
    expect([status, json.code, json.errors[0].pointer]).toEqual([409, 'Conflict', '/digest'])
    expect(await stored()).toEqual([])
  })

  test('is held up by errors until they are accepted by name', async () => {
    const refused = await apply({ target: 'west', accept: ALONE })
    expect([refused.status, refused.json.code]).toEqual([422, 'InvalidCombination'])
    expect(refused.json.errors.map(({ reason }: { reason: string }) => reason.split(':')[0])).toEqual([
      'PathNotSayable',
      'HeadersNotSayable',
    ])
    expect(await stored()).toEqual([])
    const accepted = await apply({ target: 'west', accept: [...ALONE, 'PathNotSayable', 'HeadersNotSayable'] })
    expect(accepted.json.applied.failed).toBe(0)
    expect((await world.store.all('service'))[0]?.spec.security?.authorization?.allow).toEqual([])
  })

  test('leaves what is registered, unless it is named', async () => {
    await apply(BODY)
    const theirs = (await world.store.read('service', 'bookstore/bookstore'))?.value
    if (!theirs) throw new Error('it was not registered')
    world.store.put({ ...theirs, spec: { ...theirs.spec, traffic: { timeout: '5s' } } })
    const held = await planned(BODY)
    expect(held.services[0].result).toBe('left')
    expect(held.findings.at(-1)).toMatchObject({ code: 'AlreadyRegistered', severity: 'error' })
    expect((await apply(BODY)).status).toBe(422)
    const { json } = await apply({ ...BODY, overwrite: ['bookstore/bookstore'] })
    expect(json.applied.value[0]).toMatchObject({ name: 'bookstore/bookstore', result: 'updated' })
  })

  test('replaces nothing that was registered after it had looked', async () => {
    const theirs = serviceDocument({ namespace: 'bookwarehouse', name: 'bookwarehouse' })
    world.store.beforeWrite = () => void world.store.put(theirs)
    const { applied } = (await apply(BODY)).json
    expect(applied.value.map(({ result }: { result: string }) => result)).toEqual(['created', 'failed'])
    expect(applied.value[1].failure.code).toBe('Conflict')
    expect(world.store.get('service', 'bookwarehouse/bookwarehouse').spec).toEqual(theirs.spec)
  })

  test('replaces nothing that was changed after it had looked, even where it may replace', async () => {
    await apply(BODY)
    const key = 'bookwarehouse/bookwarehouse'
    for (const name of ['bookstore/bookstore', key])
      world.store.change('service', name, (one) => ({ ...one, spec: { ...one.spec, traffic: { timeout: '5s' } } }))
    world.store.beforeWrite = (_, document) => {
      if (keyOf(document) !== 'bookstore/bookstore') return
      world.store.change('service', key, (one) => ({ ...one, spec: { ...one.spec, traffic: { timeout: '6s' } } }))
    }
    const { applied } = (await apply({ ...BODY, overwrite: ['bookstore/bookstore', key] })).json
    expect(applied.value.map(({ result }: { result: string }) => result)).toEqual(['updated', 'failed'])
    expect(applied.value[1].failure.code).toBe('Conflict')
    expect(world.store.get('service', key).spec.traffic).toEqual({ timeout: '6s' })
  })

  test('needs the roles of an operator and of a deployer', async () => {
    expect((await post(BODY, { roles: ['Mesh.Deployer'] })).status).toBe(403)
    expect((await post(BODY, { roles: ['Mesh.Viewer'] })).status).toBe(403)
    const claims = { groups: [SHOP_GROUP] }
    const { digest } = (await post(BODY, { roles: ['Mesh.Operator'], claims })).json
    const body = { ...BODY, apply: true, digest }
    expect((await post(body, { roles: ['Mesh.Operator'], claims })).status).toBe(403)
    expect((await post(body, { roles: ['Mesh.Operator', 'Mesh.Deployer'], claims })).status).toBe(200)
  })

  test('reaches no namespace of a team that the caller is not in', async () => {
    const { json } = await post(BODY, { roles: ['Mesh.Operator', 'Mesh.Deployer'] })
    expect(json.services.map(({ result }: { result: string }) => result)).toEqual(['left', 'left'])
    expect(json.findings.at(-1)).toMatchObject({ code: 'Refused' })
  })
})

describe('what is no migration', () => {
  test.each<[string, object, number, string]>([
    ['a target that is not there', { target: 'north' }, 422, '/target'],
    ['a target without Istio', { target: 'east' }, 422, '/target'],
    ['neither target nor in place', {}, 400, '/target'],
    ['both', { target: 'west', inPlace: window(0, 1) }, 400, '/target'],
    ['an apply without a digest', { target: 'west', apply: true }, 400, '/digest'],
    ['a window that ends before it begins', { inPlace: window(2, 1) }, 400, '/inPlace/window/until'],
    ['a window that is over', { inPlace: window(-2, -1) }, 422, '/inPlace/window/until'],
  ])('%s', async (_, body, status, pointer) => {
    const reply = await post(body)
    expect([reply.status, reply.json.errors[0].pointer]).toEqual([status, pointer])
  })

  test('a cluster that is not there, that has another mesh, that does not answer', async () => {
    expect((await world.call('POST', PATH.replace('east', 'north'), { body: BODY })).status).toBe(404)
    expect((await world.call('POST', PATH.replace('east', 'west'), { body: { target: 'east' } })).status).toBe(422)
    clusters.failures.set('list Service', new PortError('unavailable', 'Kubernetes', 'connection refused'))
    expect((await post(BODY)).status).toBe(503)
  })
})
