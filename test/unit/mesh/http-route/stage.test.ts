import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gatewayApi } from '../../../../src/mesh/gateway-api/gateway-api.ts'
import { withWeights } from '../../../../src/mesh/http-route/rule.ts'
import type { Barrier, RenderInput } from '../../../../src/mesh/provider.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { sideRoutesBeyond } from '../../../../src/model/placement.ts'
import { holds } from '../../../../src/reconcile/content.ts'
import { exposed, stepsOf } from '../gateway-api/specs.ts'

const key = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`

function objects(input: RenderInput): readonly KubeObject[] {
  return stepsOf(input).map(({ object }) => object)
}

interface Taken {
  readonly object: KubeObject
  readonly before: KubeObject | undefined
  readonly barriers: readonly Barrier[]
}

/** The steps from one input to another that change something. */
function steps(from: RenderInput | undefined, to: RenderInput): readonly Taken[] {
  const live = new Map(from ? objects(from).map((object) => [key(object), object]) : [])
  return gatewayApi.stage([...live.values()], stepsOf(to)).flatMap(({ object, barriers }): readonly Taken[] => {
    const before = live.get(key(object))
    if (before && holds(before, object)) return []
    live.set(key(object), object)
    return [{ object, before, barriers }]
  })
}

/** The same in words. */
function walk(from: RenderInput | undefined, to: RenderInput): readonly string[] {
  return steps(from, to).map(({ object, barriers }) => {
    const waits = barriers.flatMap((barrier) => {
      if (barrier.kind === 'settled' || barrier.kind === 'gone') return []
      return barrier.kind === 'accepted' ? ['accepted'] : [`${barrier.among ?? ''}ready ${barrier.versions.join()}`]
    })
    const what = object.kind === 'Service' ? object.metadata.name : traffic(object)
    return `${object.kind} ${what}${waits.length > 0 ? ` after ${waits.join(', ')}` : ''}`
  })
}

function traffic(route: KubeObject): string {
  const weights = Object.entries(gatewayApi.liveWeights(route) ?? {}).map(([version, weight]) => `${version}:${weight}`)
  const sides = gatewayApi.liveSideRoutes(route).map(({ kind, version }) => `+${kind} ${version}`)
  return [...weights, ...sides].join(' ')
}

const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
const stable = exposed()
const at = (weight: number, change: Partial<RenderInput> = {}) =>
  exposed({}, { weights: { v1: 100 - weight, v2: weight }, ...change })

describe('what leads from one render to the next', () => {
  it('makes the Services first, then the route once versions are ready', () => {
    expect(walk(undefined, stable)).toEqual(['Service web-v1', 'Service web-v2', 'HTTPRoute v1:100 after ready v1'])
  })

  it('names a candidate at weight 0 before it gets anything', () => {
    expect(walk(stable, at(0))).toEqual(['HTTPRoute v1:100 v2:0'])
    expect(walk(stable, at(10))).toEqual(['HTTPRoute v1:100 v2:0', 'HTTPRoute v1:90 v2:10 after accepted, ready v2'])
  })

  it('moves weights alone where the route names the version, and takes a version out after its weight', () => {
    expect(walk(at(10), at(50))).toEqual(['HTTPRoute v1:50 v2:50 after accepted, ready v2'])
    expect(walk(at(50), stable)).toEqual(['HTTPRoute v1:100 v2:0 after accepted, ready v1', 'HTTPRoute v1:100'])
  })

  it('puts matches and copies in before weights, and takes them out before all else', () => {
    const sides = at(0, { candidate: { version: 'v2', match, mirror: 20 } })
    expect(walk(at(0), sides)).toEqual(['HTTPRoute v1:100 v2:0 +match v2 +mirror v2 after ready v2'])
    expect(walk(sides, at(10))).toEqual([
      'HTTPRoute v1:90 v2:10 +match v2 +mirror v2 after accepted, ready v2',
      'HTTPRoute v1:90 v2:10',
    ])
    expect(walk(sides, stable)).toEqual(['HTTPRoute v1:100 v2:0 after ready v1', 'HTTPRoute v1:100'])
  })

  it('changes what a Service selects only when ready Pods of the version bear the new labels', () => {
    const relabelled = exposed({ workload: { labels: { app: 'web', tier: 'a' } } })
    expect(walk(stable, relabelled)).toEqual(['Service web-v1 after allready v1', 'Service web-v2'])
  })

  it('moves a version to a Service of its own once that is ready', () => {
    const versions = { v1: { labels: { version: 'v1' }, service: 'web-old' }, v2: { labels: { version: 'v2' } } }
    expect(walk(stable, exposed({ versions }))).toEqual(['HTTPRoute v1:100 after ready v1'])
  })

  it('replaces a route whose weights another hand made no split of', () => {
    const live = objects(stable).map((object) => {
      const rules = [{ backendRefs: [{ name: 'web-v1', port: 80, weight: 7 }] }]
      return object.kind === 'HTTPRoute' ? { ...object, spec: { ...object.spec, rules } } : object
    })
    const changes = gatewayApi.stage(live, stepsOf(stable)).filter(({ object }) => object.kind === 'HTTPRoute')
    expect(changes.map(({ object }) => traffic(object))).toEqual(['v1:100'])
  })

  it('never changes structure and weights in one apply, ends as rendered, and is done then', () => {
    const percent = fc.integer({ min: 0, max: 100 })
    const candidate = fc.option(
      fc.record({ match: fc.constant(match), mirror: fc.integer({ min: 1, max: 100 }) }, { requiredKeys: [] }),
      { nil: undefined },
    )
    const timeout = fc.constantFrom(undefined, '1s', '2s')
    const hosts = fc.constantFrom(['a.example.com'], ['a.example.com', 'b.example.com'])
    const any = fc.tuple(percent, candidate, timeout, hosts, fc.boolean()).map(([weight, more, limit, names, single]) =>
      exposed(
        { traffic: { timeout: limit }, exposure: names.map((host) => ({ host })) },
        {
          weights: single ? { v1: 100 } : { v1: 100 - weight, v2: weight },
          ...(more && Object.keys(more).length > 0 ? { candidate: { version: 'v2', ...more } } : {}),
        },
      ),
    )
    fc.assert(
      fc.property(any, any, (from, to) => {
        for (const { object, before } of steps(from, to)) {
          if (!before || object.kind === 'Service') continue
          const [was, is] = [before, object].map((one) => gatewayApi.liveWeights(one) ?? {})
          const moved = ['v1', 'v2'].filter((version) => (was?.[version] ?? 0) !== (is?.[version] ?? 0))
          if (moved.length > 0) expect(bare(object)).toBe(bare(before))
          const gained = sideRoutesBeyond(gatewayApi.liveSideRoutes(object), gatewayApi.liveSideRoutes(before))
          if (gained.length > 0) expect(moved).toEqual([])
        }
        const last = new Map(steps(from, to).map(({ object }) => [key(object), object]))
        for (const object of objects(to)) {
          const known = last.get(key(object)) ?? objects(from).find((one) => key(one) === key(object))
          expect(known && holds(known, object)).toBe(true)
        }
        expect(steps(to, to)).toEqual([])
        expect(canonicalJson(objects(to))).toBe(canonicalJson(objects(to)))
      }),
      { numRuns: 200 },
    )
  })
})

/** A route without the weights of its splits. */
function bare(route: KubeObject): string {
  return canonicalJson(withWeights(route, {}).spec)
}
