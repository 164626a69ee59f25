import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consul } from '../../../../src/mesh/consul/consul.ts'
import { withoutSideRoutes } from '../../../../src/mesh/consul/side-routes.ts'
import { withWeights } from '../../../../src/mesh/consul/splitter.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { sideRoutesBeyond } from '../../../../src/model/placement.ts'
import { holds } from '../../../../src/reconcile/content.ts'
import { anyInput, inputOf, objects, specOf, steps, withPolicy } from './specs.ts'

type Live = ReadonlyMap<string, KubeObject>

/** The steps from one input to another that change something, in words. */
function walk(from: RenderInput, to: RenderInput): readonly string[] {
  const live = new Map(objects(from).map((object) => [object.kind, object]))
  return consul.stage(objects(from), steps(to)).flatMap(({ object, barriers }) => {
    const before = live.get(object.kind)
    if (before && sameSpec(before, object)) return []
    live.set(object.kind, object)
    const waits = barriers.map((barrier) =>
      barrier.kind === 'endpoints-ready'
        ? `ready ${barrier.versions.join()}`
        : `${barrier.kind} ${barrier.object.kind.replace('Service', '')}`,
    )
    const what = wordsOf(object)
    return [`${object.kind.replace('Service', '')} ${what}${waits.length > 0 ? ` after ${waits.join(', ')}` : ''}`]
  })
}

function sameSpec(a: KubeObject, b: KubeObject): boolean {
  return holds(a, b) && holds(b, a)
}

function wordsOf(object: KubeObject): string {
  if (object.kind === 'ServiceSplitter') return canonicalJson(consul.liveWeights(object))
  if (object.kind === 'ServiceResolver') return subsets(object).join()
  if (object.kind !== 'ServiceRouter') return canonicalJson(object.spec)
  const sides = consul.liveSideRoutes(object).map(({ kind, version }) => `${kind} ${version}`)
  return sides.length === 0 ? 'plain' : sides.join()
}

function subsets(resolver: KubeObject): readonly string[] {
  return Object.keys((resolver.spec?.subsets ?? {}) as object)
}

const all = { v1: 100, v2: 0 }
const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
const affinity = { cookie: 'c', value: 'shop.web.k3', maxAgeMs: 60_000 }
const one = specOf({ versions: { v1: { labels: { version: 'v1' } } } })

describe('the way from one state of Consul to another', () => {
  it('for a weight step is one write that waits for endpoints of what rises', () => {
    expect(walk(inputOf({ weights: all }), inputOf({ weights: { v1: 90, v2: 10 } }))).toEqual([
      'Splitter {"v1":90,"v2":10} after ready v2',
    ])
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ weights: all }))).toEqual([
      'Splitter {"v1":100,"v2":0} after ready v1',
    ])
  })

  it('back to stable comes before any other change', () => {
    const to = withPolicy(
      { traffic: { timeout: '5s' }, versions: { ...specOf().versions, v3: { labels: { version: 'v3' } } } },
      { weights: all },
    )
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), to)).toEqual([
      'Splitter {"v1":100,"v2":0} after ready v1',
      'Resolver v1,v2,v3 after accepted Defaults',
      'Router plain after accepted Resolver, accepted Splitter',
    ])
  })

  it('to a new version is subset, place in the split, weight; away from it the reverse', () => {
    const inPlace = 'accepted Resolver'
    expect(walk(inputOf({ spec: one }), inputOf({ weights: { v1: 95, v2: 5 } }))).toEqual([
      'Resolver v1,v2 after accepted Defaults',
      `Splitter {"v1":100,"v2":0} after ${inPlace}`,
      `Splitter {"v1":95,"v2":5} after ${inPlace}, accepted Splitter, ready v2`,
    ])
    const released = 'accepted Splitter, accepted Router'
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ spec: one }))).toEqual([
      'Splitter {"v1":100,"v2":0} after ready v1',
      `Splitter {"v1":100} after ${inPlace}`,
      `Resolver v1 after ${released}`,
    ])
  })

  it('to a match is one write of the router, and back from it waits for stable alone', () => {
    const matching = inputOf({ weights: all, candidate: { version: 'v2', match } })
    expect(walk(inputOf({ weights: all }), matching)).toEqual([
      'Router match v2 after accepted Resolver, accepted Splitter, ready v2',
    ])
    expect(walk(matching, inputOf({ weights: all }))).toEqual(['Router plain after ready v1'])
  })

  it('back from weights with a match takes the match away first', () => {
    const from = inputOf({ weights: { v1: 90, v2: 10 }, candidate: { version: 'v2', match } })
    expect(walk(from, inputOf({ weights: all }))).toEqual([
      'Router plain after ready v1',
      'Splitter {"v1":100,"v2":0} after ready v1',
    ])
    expect(walk(from, inputOf({ weights: { v1: 0, v2: 100 } }))).toEqual([
      'Splitter {"v1":0,"v2":100} after ready v2',
      'Router plain',
    ])
  })

  it('with affinity sets the cookie before the first weight', () => {
    const sticky = inputOf({ weights: { v1: 90, v2: 10 }, candidate: { version: 'v2', affinity } })
    const inPlace = 'accepted Resolver'
    expect(walk(inputOf({ weights: all }), sticky)).toEqual([
      `Splitter {"v1":100,"v2":0} after ${inPlace}`,
      `Router affinity v2 after ${inPlace}, accepted Splitter, ready v2`,
      `Splitter {"v1":90,"v2":10} after ${inPlace}, accepted Splitter, ready v2`,
    ])
    expect(walk(sticky, inputOf({ weights: all }))).toEqual([
      'Router plain after ready v1',
      'Splitter {"v1":100,"v2":0} after ready v1',
      `Splitter {"v1":100,"v2":0} after ${inPlace}`,
    ])
  })

  it('to other labels of a version that serves waits for endpoints that bear them', () => {
    const versions = { v1: { labels: { version: 'one' } }, v2: { labels: { version: 'v2' } } }
    expect(walk(inputOf(), inputOf({ spec: specOf({ versions }) }))).toEqual([
      'Resolver v1,v2 after accepted Defaults, ready v1',
    ])
  })

  it('from a split that is none of ours is what the render says', () => {
    const from = objects(inputOf()).map((object) =>
      object.kind === 'ServiceSplitter' ? withWeights(object, { v1: 40 }) : object,
    )
    const to = steps(inputOf({ weights: { v1: 90, v2: 10 } }))
    expect(consul.stage(from, to)).toEqual(to)
  })

  it('to the same is nothing', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(walk(input, { ...input, renderRevision: 9999 })).toEqual([])
      }),
    )
  })

  it('never changes structure and weights in one write, names no subset that is not there, and ends as rendered', () => {
    fc.assert(
      fc.property(anyInput, anyInput, (from, to) => {
        const live = new Map(objects(from).map((object) => [object.kind, object]))
        for (const step of consul.stage(objects(from), steps(to))) {
          const last = live.get(step.object.kind)
          if (last) checkWrite(live, last, step)
          live.set(step.object.kind, step.object)
          checkReferences(live)
        }
        for (const object of objects(to)) expect(live.get(object.kind)).toEqual(object)
      }),
      { numRuns: 100 },
    )
  })

  function checkWrite(live: Live, last: KubeObject, { object, barriers }: RenderStep): void {
    const awaited = barriers.flatMap((barrier) => (barrier.kind === 'endpoints-ready' ? barrier.versions : []))
    if (object.kind === 'ServiceSplitter') {
      const [before, after] = [consul.liveWeights(last) ?? {}, consul.liveWeights(object) ?? {}]
      const versions = [...new Set([...Object.keys(before), ...Object.keys(after)])]
      const moved = versions.some((version) => (before[version] ?? 0) !== (after[version] ?? 0))
      if (moved) expect(withWeights(last, {}).spec).toEqual(withWeights(object, {}).spec)
      const rising = versions.filter((version) => (after[version] ?? 0) > (before[version] ?? 0))
      expect(awaited).toEqual(expect.arrayContaining(rising))
    }
    if (object.kind === 'ServiceRouter') {
      const [before, after] = [consul.liveSideRoutes(last), consul.liveSideRoutes(object)]
      const gained = sideRoutesBeyond(after, before)
      const lost = sideRoutesBeyond(before, after)
      expect(awaited).toEqual(expect.arrayContaining(gained.map(({ version }) => version)))
      // What goes away does so alone, and nobody is waited for but those who get the requests.
      if (lost.length > 0 && gained.length === 0) {
        const kinds = new Set(lost.map(({ kind }) => kind))
        expect(object.spec).toEqual(withoutSideRoutes(last, kinds).spec)
        const splitter = live.get('ServiceSplitter')
        const weights = (splitter && consul.liveWeights(splitter)) ?? {}
        expect(awaited.filter((version) => (weights[version] ?? 0) === 0)).toEqual([])
      }
    }
  }

  function checkReferences(live: Live): void {
    const splitter = live.get('ServiceSplitter')
    const router = live.get('ServiceRouter')
    const resolver = live.get('ServiceResolver')
    const named = [
      ...Object.keys((splitter && consul.liveWeights(splitter)) ?? {}),
      ...(router ? consul.liveSideRoutes(router).map(({ version }) => version) : []),
    ]
    expect(resolver ? subsets(resolver) : []).toEqual(expect.arrayContaining(named))
  }
})
