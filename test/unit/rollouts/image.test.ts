import { beforeEach, describe, expect, it } from 'vitest'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { foldRollouts } from '../../../src/rollouts/fold-rollouts.ts'
import { aService } from '../fakes/documents.ts'
import { aRollout, later, T0 } from './fixture.ts'
import { startWorld } from './start-world.ts'

const IMAGE = 'registry.example.com/shop/web:1.5.0'

let { store, plans, planned, start } = startWorld()
beforeEach(() => {
  ;({ store, plans, planned, start } = startWorld())
})

function withVersions(versions: object): ServiceDocument {
  const { spec } = aService()
  return aService({ spec: serviceSpec.parse({ ...spec, versions: { ...spec.versions, ...versions } }) })
}

describe('a rollout from an image', () => {
  it('adds the version: stable’s labels with its name in the version label, in a Deployment of its own', async () => {
    const stable = { labels: { app: 'web', version: 'v1' } }
    store.put(withVersions({ v1: stable }))
    const started = await start({ candidate: { name: 'v3', image: IMAGE } })
    expect(started).toMatchObject({
      ok: true,
      value: {
        candidate: 'v3',
        image: { images: { '': IMAGE }, replicas: 'equal' },
        changes: [
          { field: 'image', to: IMAGE },
          { field: 'labels.version', from: 'v1', to: 'v3' },
          { field: 'workload', to: 'web-v3' },
        ],
      },
    })
    const { spec, generation } = store.get('service', 'shop/web')
    expect(spec.versions.v3).toEqual({ labels: { app: 'web', version: 'v3' }, workload: 'web-v3' })
    expect(generation).toBe(2)
  })

  it.each([
    ['app.kubernetes.io/version', { 'app.kubernetes.io/version': 'v1' }, { 'app.kubernetes.io/version': 'v3' }],
    ['version, where stable has another label', { track: 'a' }, undefined],
  ])('tells versions apart by %s', async (_, labels, expected) => {
    store.put(withVersions({ v1: { labels } }))
    const started = await start({ candidate: { name: 'v3', image: IMAGE } })
    expect(started.ok).toBe(expected !== undefined)
    if (expected) expect(store.get('service', 'shop/web').spec.versions.v3?.labels).toEqual(expected)
    else expect(started).toMatchObject({ failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate' }] } })
  })

  it('takes images by container, and so many Pods as its share needs', async () => {
    const image = { web: IMAGE, sidecar: 'registry.example.com/sidecar:2' }
    const started = await start({ candidate: { name: 'v3', image, replicas: 'weight' } })
    expect(started).toMatchObject({ value: { image: { images: image, replicas: 'weight' } } })
  })

  it('drops the oldest version that releases left behind where the service is full, and says so', async () => {
    const stable = { labels: { version: 'v1' } }
    const names = Array.from({ length: 14 }, (_, index) => `r${index}`)
    const made = (name: string) => ({ labels: { version: name }, workload: `web-${name}` })
    const full = withVersions({ v1: stable, ...Object.fromEntries(names.map((name) => [name, made(name)])) })
    expect(Object.keys(full.spec.versions)).toHaveLength(16)
    const retire = (...versions: string[]) => ({
      east: versions.map((version) => {
        return {
          version,
          labels: { version },
          rollout: `shop.web.${version}`,
          made: `web-${version}`,
          loser: 'made' as const,
        }
      }),
    })
    store.put(full)
    expect(await start({ candidate: { name: 'v3', image: IMAGE } })).toMatchObject({ ok: false })
    // v2 was declared by people, and v1 is stable.
    store.put({ ...full, retired: retire('v2', 'v1', 'r5', 'r2') })
    const started = await start({ candidate: { name: 'v3', image: IMAGE } })
    expect(started).toMatchObject({ value: { warnings: ['r5 is no version of the service any more: it made room'] } })
    const { versions } = store.get('service', 'shop/web').spec
    expect(Object.keys(versions)).toHaveLength(16)
    expect(versions).not.toHaveProperty('r5')
    expect(store.get('service', 'shop/web').retired?.east?.map(({ version }) => version)).toContain('r5')
  })

  it('is refused under the name of a version that is something else, or that makes too long a name', async () => {
    expect(await start({ candidate: { name: 'v2', image: IMAGE } })).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate/name' }] },
    })
    expect(await start({ candidate: { name: 'v'.repeat(62), image: IMAGE } })).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/candidate/name' }] },
    })
  })

  it('is planned on every cluster with the rollout in it, and refused with what they say', async () => {
    const fix = 'Let Argo CD deploy it.'
    const finding = { code: 'WorkloadOwnedByTool', severity: 'error', message: 'Argo CD owns it.', fix } as const
    const other = { ...finding, code: 'PortMissing', field: '/ports/1/port' }
    plans.west = { findings: [finding, other] }
    expect(await start({ candidate: { name: 'v3', image: IMAGE } })).toMatchObject({
      failure: {
        code: 'ImageRefused',
        errors: [{ pointer: '/candidate/image', reason: `WorkloadOwnedByTool on west: Argo CD owns it. ${fix}` }],
      },
    })
    expect(store.get('service', 'shop/web').rollouts).toEqual([])
    expect(planned.map(({ rollouts, spec }) => [rollouts[0]?.image?.images, spec.versions.v3?.workload])).toEqual([
      [{ '': IMAGE }, 'web-v3'],
      [{ '': IMAGE }, 'web-v3'],
    ])
  })

  it('starts with a warning where an autoscaler scales stable, or a cluster does not answer', async () => {
    const warning = {
      code: 'StableAutoscaled',
      severity: 'warning',
      message: 'an autoscaler scales it',
      fix: '',
    } as const
    plans.east = { findings: [warning, { ...warning, code: 'VersionWithoutEndpoints' }] }
    const unmade = { ...warning, code: 'NotPlanned', severity: 'error' } as const
    plans.west = { blocked: { reason: 'Unreachable', message: 'no answer' }, findings: [unmade] }
    const started = await start({ candidate: { name: 'v3', image: IMAGE } })
    expect(started).toMatchObject({
      value: {
        warnings: expect.arrayContaining([
          'east: an autoscaler scales it',
          'west: whether the candidate can be made is not known yet: no answer',
        ]),
      },
    })
    expect(JSON.stringify(started)).not.toContain('VersionWithoutEndpoints')
  })

  it('asks no cluster when the version is there', async () => {
    await start()
    expect(planned).toEqual([])
  })
})

describe('the end of a rollout from an image', () => {
  const image = { images: { '': IMAGE }, replicas: 'equal' } as const
  const versions = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' }, workload: 'web-v2' } }
  const labels = { v1: versions.v1.labels, v2: versions.v2.labels }

  function end(phase: RolloutPhase, change: Partial<Rollout> = {}, service: Partial<ServiceDocument> = {}) {
    const before = aRollout('progressing', { image })
    const document = { ...withVersions(versions), rollouts: [before], ...service }
    return foldRollouts(document, [{ ...before, phase, endedAt: later(0), ...change }], T0)
  }

  it('retires stable’s Deployment where the candidate is stable now', () => {
    const entry = { version: 'v1', labels: labels.v1, rollout: 'shop.web.k3', made: 'web-v2', loser: 'source' }
    expect(end('succeeded').retired).toEqual({ east: [entry], west: [entry] })
  })

  it.each(['rolled-back', 'aborted', 'superseded'] as const)('retires the one that was made when it is %s', (phase) => {
    const entry = { version: 'v2', labels: labels.v2, rollout: 'shop.web.k3', made: 'web-v2', loser: 'made' }
    expect(end(phase).retired).toEqual({ east: [entry], west: [entry] })
  })

  it('retires the one that was made on a cluster that it went on without', () => {
    const [east, west] = aRollout('progressing').targets
    if (!east || !west) throw new Error('two targets')
    const after = end('succeeded', { targets: [east, { ...west, out: 'harm' }] })
    expect(after.retired?.east?.[0]?.loser).toBe('source')
    expect(after.retired?.west?.[0]).toMatchObject({ version: 'v2', loser: 'made' })
  })

  it('retires nothing when weights could not be set, while it goes on, or when the version was there', () => {
    expect(end('failed').retired).toBeUndefined()
    expect(end('baking').retired).toBeUndefined()
    const plain = aRollout('progressing')
    const document = { ...withVersions(versions), rollouts: [plain] }
    expect(foldRollouts(document, [{ ...plain, phase: 'succeeded' }], T0).retired).toBeUndefined()
  })

  it('keeps versions off the list that a rollout has in its hands', () => {
    const old = { version: 'v2', labels: labels.v2, rollout: 'shop.web.k1', made: 'web-v2', loser: 'made' } as const
    const other = { ...old, version: 'v0', made: 'web-v0' }
    expect(end('progressing', {}, { retired: { east: [old, other] } }).retired).toEqual({ east: [other] })
  })
})

it('asks for the Deployment as soon as the rollout may begin', () => {
  const image = { images: { '': IMAGE }, replicas: 'equal' } as const
  const before = aRollout('pending', { image })
  const service = aService({ rollouts: [before] })
  const after = foldRollouts(service, [{ ...before, phase: 'preflight' }], T0)
  const asked = after.outbox.flatMap((entry) => (entry.kind === 'work' ? [entry.message] : []))
  expect(asked).toContainEqual({ kind: 'reconcile', service: 'shop/web', cluster: 'east' })
  expect(after.renderRevision).toBe(service.renderRevision)
})
