import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { sameWeights, withWeights } from '../../../../src/mesh/istio/route.ts'
import { withoutSideRoutes } from '../../../../src/mesh/istio/side-routes.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { sideRoutesBeyond } from '../../../../src/model/placement.ts'
import { holds } from '../../../../src/reconcile/content.ts'
import { anyInput, inputOf, specOf } from './specs.ts'

function steps(input: RenderInput): readonly RenderStep[] {
  const result = istio.render(input)
  if (!result.ok) throw new Error(result.failure.detail)
  return result.steps
}

/** Names an object among those of one service. */
const nameOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`
const objects = (input: RenderInput) => steps(input).map(({ object }) => object)

/** The steps from one input to another that change something, in words. */
function walk(from: RenderInput, to: RenderInput): readonly string[] {
  const live = new Map(objects(from).map((object) => [nameOf(object), object]))
  return istio.stage(objects(from), steps(to)).flatMap(({ object, barriers }) => {
    const before = live.get(nameOf(object))
    if (before && holds(before, object)) return []
    live.set(nameOf(object), object)
    const waits = barriers.map((barrier) =>
      barrier.kind === 'endpoints-ready'
        ? `ready ${barrier.versions.join()}`
        : `${barrier.kind} ${barrier.object.kind}`,
    )
    const what = object.kind === 'VirtualService' ? traffic(object) : subsets(object).join()
    return [`${object.kind} ${what}${waits.length > 0 ? ` after ${waits.join(', ')}` : ''}`]
  })
}

function traffic(route: KubeObject): string {
  const sides = istio.liveSideRoutes(route).map(({ kind, version }) => `${kind} ${version}`)
  return [canonicalJson(istio.liveWeights(route)), ...sides].join(' + ')
}

function subsets(rule: KubeObject): readonly string[] {
  return ((rule.spec?.subsets ?? []) as { name: string }[]).map(({ name }) => name)
}

describe('the way from one route to another', () => {
  const one = specOf({ versions: { v1: { labels: { version: 'v1' } } } })

  it('for a weight step is one write that waits for endpoints of what rises', () => {
    expect(walk(inputOf({ weights: { v1: 100, v2: 0 } }), inputOf({ weights: { v1: 90, v2: 10 } }))).toEqual([
      'VirtualService {"v1":90,"v2":10} after ready v2',
    ])
  })

  it('back to stable is one write that waits for stable alone', () => {
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ weights: { v1: 100, v2: 0 } }))).toEqual([
      'VirtualService {"v1":100,"v2":0} after ready v1',
    ])
  })

  it('back to stable comes before any other change', () => {
    const spec = specOf({
      traffic: { timeout: '5s' },
      versions: { ...specOf().versions, v3: { labels: { version: 'v3' } } },
    })
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ spec, weights: { v1: 100, v2: 0 } }))).toEqual([
      'VirtualService {"v1":100,"v2":0} after ready v1',
      'DestinationRule v1,v2,v3',
      'VirtualService {"v1":100,"v2":0} after settled DestinationRule',
    ])
  })

  it('to a new version is subset, place in the route, weight', () => {
    expect(walk(inputOf({ spec: one }), inputOf({ weights: { v1: 95, v2: 5 } }))).toEqual([
      'DestinationRule v1,v2',
      'VirtualService {"v1":100,"v2":0} after settled DestinationRule',
      'VirtualService {"v1":95,"v2":5} after settled DestinationRule, ready v2',
    ])
  })

  it('away from a version is weight, place in the route, subset', () => {
    expect(walk(inputOf({ weights: { v1: 50, v2: 50 } }), inputOf({ spec: one }))).toEqual([
      'VirtualService {"v1":100,"v2":0} after ready v1',
      'VirtualService {"v1":100} after settled DestinationRule',
      'DestinationRule v1 after settled VirtualService',
    ])
  })

  it('to other labels of a version that serves waits for endpoints that bear them', () => {
    const spec = specOf({ versions: { v1: { labels: { version: 'one' } }, v2: { labels: { version: 'v2' } } } })
    expect(walk(inputOf(), inputOf({ spec }))).toEqual(['DestinationRule v1,v2 after ready v1'])
  })

  it('from a split that is none of ours is one write with all that the render waits for', () => {
    const from = objects(inputOf()).map((object) =>
      object.kind === 'VirtualService' ? withWeights(object, { v1: 40 }) : object,
    )
    const [, route] = istio.stage(from, steps(inputOf({ weights: { v1: 90, v2: 10 } })))
    expect(route && istio.liveWeights(route.object)).toEqual({ v1: 90, v2: 10 })
    expect(route?.barriers.map(({ kind }) => kind)).toEqual(['settled', 'endpoints-ready'])
  })

  const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
  const affinity = { cookie: 'c', value: 'shop.web.k3', maxAgeMs: 60_000 }
  const all = { v1: 100, v2: 0 }
  const matching = inputOf({ weights: all, candidate: { version: 'v2', match } })
  const mirroring = inputOf({ weights: all, candidate: { version: 'v2', mirror: 50 } })
  const sticky = (weight: number) =>
    inputOf({ weights: { v1: 100 - weight, v2: weight }, candidate: { version: 'v2', affinity } })

  it('to a match or a mirror is one write, after the subset is settled and the candidate ready', () => {
    const settled = 'after settled DestinationRule, ready v2'
    expect(walk(inputOf({ weights: all }), matching)).toEqual([
      `VirtualService {"v1":100,"v2":0} + match v2 ${settled}`,
    ])
    expect(walk(inputOf({ weights: all }), mirroring)).toEqual([
      `VirtualService {"v1":100,"v2":0} + mirror v2 ${settled}`,
    ])
  })

  it('to another match is one write', () => {
    const other = inputOf({ weights: all, candidate: { version: 'v2', match: [{ path: { prefix: '/a' } }] } })
    expect(walk(matching, other)).toEqual([
      'VirtualService {"v1":100,"v2":0} + match v2 after settled DestinationRule, ready v2',
    ])
  })

  it('back from a match waits for stable alone, and back from a mirror for nobody', () => {
    expect(walk(matching, inputOf({ weights: all }))).toEqual(['VirtualService {"v1":100,"v2":0} after ready v1'])
    expect(walk(mirroring, inputOf({ weights: all }))).toEqual(['VirtualService {"v1":100,"v2":0}'])
  })

  it('back from weights with a match takes the match away first', () => {
    const from = inputOf({ weights: { v1: 90, v2: 10 }, candidate: { version: 'v2', match } })
    expect(walk(from, inputOf({ weights: all }))).toEqual([
      'VirtualService {"v1":90,"v2":10} after ready v1',
      'VirtualService {"v1":100,"v2":0} after ready v1',
    ])
  })

  it('with affinity sets the cookie before the first weight, moves weights alone, and forgets it at the end', () => {
    const [v1, v2] = ['after settled DestinationRule, ready v2', 'after ready v2']
    expect(walk(inputOf({ weights: all }), sticky(10))).toEqual([
      `VirtualService {"v1":100,"v2":0} + affinity v2 ${v1}`,
      `VirtualService {"v1":90,"v2":10} + affinity v2 ${v1}`,
    ])
    expect(walk(sticky(10), sticky(50))).toEqual([`VirtualService {"v1":50,"v2":50} + affinity v2 ${v2}`])
    expect(walk(sticky(50), inputOf({ weights: { v1: 0, v2: 100 } }))).toEqual([
      `VirtualService {"v1":0,"v2":100} + affinity v2 ${v2}`,
      'VirtualService {"v1":0,"v2":100}',
    ])
    expect(walk(sticky(50), inputOf({ weights: all }))).toEqual([
      'VirtualService {"v1":50,"v2":50} after ready v1',
      'VirtualService {"v1":100,"v2":0} after ready v1',
    ])
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
        const [before, wanted] = [objects(from), objects(to)]
        const names = new Set(wanted.map(nameOf))
        const live = new Map(before.map((object) => [nameOf(object), object]))
        for (const { object, barriers } of istio.stage(before, steps(to))) {
          const last = live.get(nameOf(object))
          if (last && object.kind === 'VirtualService') checkRoute(last, object, barriers)
          live.set(nameOf(object), object)
          checkReferences(live, names)
        }
        // What is wanted no longer is removed, not staged.
        const left = [...live.values()].filter((object) => names.has(nameOf(object)))
        expect(left).toEqual(expect.arrayContaining(wanted))
        expect(left).toHaveLength(wanted.length)
      }),
      { numRuns: 200 },
    )
  })

  function checkRoute(last: KubeObject, next: KubeObject, barriers: RenderStep['barriers']): void {
    const [before, after] = [istio.liveWeights(last) ?? {}, istio.liveWeights(next) ?? {}]
    const moved = !sameWeights(before, after)
    if (moved) expect(withWeights(last, {}).spec).toEqual(withWeights(next, {}).spec)
    const rising = Object.keys(after).filter((version) => (after[version] ?? 0) > (before[version] ?? 0))
    const gained = sideRoutesBeyond(istio.liveSideRoutes(next), istio.liveSideRoutes(last)).map(
      ({ version }) => version,
    )
    const lost = sideRoutesBeyond(istio.liveSideRoutes(last), istio.liveSideRoutes(next))
    const awaited = barriers.flatMap((barrier) => (barrier.kind === 'endpoints-ready' ? barrier.versions : []))
    expect(awaited).toEqual(expect.arrayContaining([...rising, ...gained]))
    if (gained.length > 0) expect(barriers.map(({ kind }) => kind)).toContain('settled')
    // What goes away does so alone, and nobody is waited for but those who get the requests.
    if (lost.length > 0 && gained.length === 0) {
      const kinds = new Set(lost.map(({ kind }) => kind))
      expect(next.spec).toEqual(withoutSideRoutes(last, kinds).spec)
      expect(awaited.filter((version) => (before[version] ?? 0) === 0)).toEqual([])
    } else expect([...new Set([...rising, ...gained])].sort()).toEqual([...awaited].sort())
  }

  function checkReferences(live: ReadonlyMap<string, KubeObject>, wanted: ReadonlySet<string>): void {
    const rule = live.get('DestinationRule web')
    const routes = [...live.values()].filter((object) => wanted.has(nameOf(object)))
    const named = routes.flatMap((route) => [
      ...Object.keys(istio.liveWeights(route) ?? {}),
      ...istio.liveSideRoutes(route).map(({ version }) => version),
    ])
    expect(rule ? subsets(rule) : []).toEqual(expect.arrayContaining(named))
  }
})
