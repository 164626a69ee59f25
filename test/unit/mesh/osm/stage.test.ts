import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { osm } from '../../../../src/mesh/osm/osm.ts'
import { backendsOf } from '../../../../src/mesh/osm/traffic-split.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { anyInput, inputOf, keyOf, objects, specOf, steps, versions } from './specs.ts'

/** The steps from one input to another that change something, in words. */
function walk(from: RenderInput, to: RenderInput): readonly string[] {
  const live = new Map(objects(from).map((object) => [keyOf(object), object]))
  return osm.stage(objects(from), steps(to)).flatMap(({ object, barriers }) => {
    const before = live.get(keyOf(object))
    if (before && contentOf(before) === contentOf(object)) return []
    live.set(keyOf(object), object)
    const waits = barriers.map((barrier) =>
      barrier.kind === 'endpoints-ready' ? `ready ${barrier.versions.join()}` : `settled ${barrier.object.name}`,
    )
    const what = object.kind === 'TrafficSplit' ? canonicalJson(osm.liveWeights(object)) : object.metadata.name
    return [`${object.kind} ${what}${waits.length > 0 ? ` after ${waits.join(', ')}` : ''}`]
  })
}

function contentOf({ metadata, spec }: KubeObject): string {
  return canonicalJson([metadata.annotations?.['meshwright.io/backends'], spec])
}

const one = specOf({ versions: { v1: versions.v1 } })
const settled = 'settled web-v1, settled web-v2'

describe('the way from one split to another', () => {
  it('for a weight step is one write that waits for endpoints of what rises', () => {
    expect(walk(inputOf({ weights: { v1: 100, v2: 0 } }), inputOf({ weights: { v1: 90, v2: 10 } }))).toEqual([
      'TrafficSplit {"v1":90,"v2":10} after ready v2',
    ])
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ weights: { v1: 100, v2: 0 } }))).toEqual([
      'TrafficSplit {"v1":100,"v2":0} after ready v1',
    ])
  })

  it('to a new version is its Service, its place, its weight; away from it the weight alone', () => {
    expect(walk(inputOf({ spec: one }), inputOf({ weights: { v1: 95, v2: 5 } }))).toEqual([
      'Service web-v2',
      `TrafficSplit {"v1":100,"v2":0} after ${settled}`,
      `TrafficSplit {"v1":95,"v2":5} after ${settled}, ready v2`,
    ])
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ spec: one }))).toEqual([
      'TrafficSplit {"v1":100,"v2":0} after ready v1',
      'TrafficSplit {"v1":100} after settled web-v1',
    ])
  })

  it('to another Service of a version that serves waits for its endpoints', () => {
    const spec = specOf({ versions: { ...versions, v1: { ...versions.v1, service: 'own' } } })
    expect(walk(inputOf(), inputOf({ spec }))).toEqual(['TrafficSplit {"v1":100} after settled web-v2, ready v1'])
  })

  it('to other Pods of a version that serves waits until one of them is ready behind the service', () => {
    const spec = specOf({ versions: { ...versions, v1: { ...versions.v1, labels: { version: 'one' } } } })
    const changed = osm
      .stage(objects(inputOf()), steps(inputOf({ spec })))
      .find(({ object }) => keyOf(object) === 'Service web-v1')
    expect(changed?.barriers).toEqual([{ kind: 'endpoints-ready', versions: ['v1'], among: 'all' }])
  })

  it('from a split that is none of ours is what the render says', () => {
    const from = objects(inputOf()).map((object) =>
      object.kind === 'TrafficSplit'
        ? { ...object, spec: { service: 'web', backends: [{ service: 'x', weight: 1 }] } }
        : object,
    )
    const to = steps(inputOf({ weights: { v1: 90, v2: 10 } }))
    expect(osm.stage(from, to)).toEqual(to)
  })

  it('to the same is nothing', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(walk(input, { ...input, renderRevision: 9999 })).toEqual([])
      }),
    )
  })

  it('never moves weights and Services of versions in one write, names none that is not there, and ends as rendered', () => {
    fc.assert(
      fc.property(anyInput, anyInput, (from, to) => {
        const live = new Map(objects(from).map((object) => [keyOf(object), object]))
        for (const step of osm.stage(objects(from), steps(to))) {
          const last = live.get(keyOf(step.object))
          if (last && step.object.kind === 'TrafficSplit') checkSplit(last, step)
          live.set(keyOf(step.object), step.object)
          const split = live.get('TrafficSplit web')
          const named = (split?.spec?.backends ?? []) as { service: string }[]
          // web-old is another's.
          for (const { service } of named) if (service !== 'web-old') expect(live.has(`Service ${service}`)).toBe(true)
        }
        for (const object of objects(to)) expect(live.get(keyOf(object))).toEqual(object)
      }),
      { numRuns: 100 },
    )
  })

  function checkSplit(last: KubeObject, { object, barriers }: RenderStep): void {
    const [before, after] = [osm.liveWeights(last) ?? {}, osm.liveWeights(object) ?? {}]
    const rising = Object.keys(after).filter((version) => (after[version] ?? 0) > (before[version] ?? 0))
    const [was, is] = [backendsOf(last) ?? {}, backendsOf(object) ?? {}]
    if (rising.length > 0) {
      for (const version of Object.keys(was)) if (is[version] !== undefined) expect(is[version]).toBe(was[version])
    }
    const moved = Object.keys(is).filter((version) => (after[version] ?? 0) > 0 && was[version] !== is[version])
    const awaited = barriers.flatMap((barrier) => (barrier.kind === 'endpoints-ready' ? barrier.versions : []))
    expect(awaited).toEqual(expect.arrayContaining([...rising, ...moved]))
  }
})
