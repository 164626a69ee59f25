import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bothOf } from '../../../../src/mesh/istio/both-of.ts'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { type NeutralMatch, requestMatches } from '../../../../src/mesh/istio/request-match.ts'
import { fitsMatch } from '../../../../src/sandbox/world/istio-match.ts'
import { inputOf, rendered, specOf } from './specs.ts'

const weights = { v1: 100, v2: 0 }
const affinity = { cookie: 'c', value: 'k3', maxAgeMs: 60_000 }

describe('a candidate beside routes of the policy', () => {
  const routes = [
    { name: 'old', match: [{ path: { prefix: '/old' } }], redirect: { path: '/new' } },
    { name: 'api', match: [{ path: { prefix: '/api' } }], rewrite: { path: '/' }, timeout: '2s' },
  ]
  const spec = specOf({ traffic: { routes } })

  it('gets what it asks for within each route, with what the route does', () => {
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const [, route] = rendered(inputOf({ spec, weights, candidate: { version: 'v2', match, affinity, mirror: 5 } }))
    const headers = { 'x-preview': { exact: 'yes' } }
    const api = { timeout: '2s', rewrite: { uriRegexRewrite: { match: '^/api/?', rewrite: '/' } } }
    const candidate = [{ destination: { subset: 'v2' } }]
    expect(route.spec?.http).toMatchObject([
      { name: 'route.old', redirect: { uri: '/new' } },
      {
        name: 'candidate.match.route.api',
        match: [
          { uri: { exact: '/api' }, headers },
          { uri: { prefix: '/api/' }, headers },
        ],
        route: candidate,
        ...api,
      },
      { name: 'candidate.affinity.route.api', route: candidate, ...api },
      { name: 'route.api', mirror: { subset: 'v2' }, route: [{}, { headers: {} }], ...api },
      { name: 'candidate.match', match: [{ headers }], route: candidate },
      { name: 'candidate.affinity', route: candidate },
      { mirror: { subset: 'v2' }, route: [{}, {}] },
    ])
    expect(istio.liveWeights(route)).toEqual(weights)
    expect(istio.liveSideRoutes(route)).toMatchObject([
      { kind: 'affinity', version: 'v2' },
      { kind: 'match', version: 'v2' },
      { kind: 'mirror', version: 'v2' },
    ])
  })

  it('leaves out what no request can be', () => {
    const match = [{ path: { exact: '/other' } }, { path: { exact: '/api/x' } }]
    const [, route] = rendered(inputOf({ spec, weights, candidate: { version: 'v2', match } }))
    expect(route.spec?.http).toMatchObject([
      {},
      { name: 'candidate.match.route.api', match: [{ uri: { exact: '/api/x' } }] },
      {},
      { name: 'candidate.match', match: [{}, {}] },
      {},
    ])
  })

  it('is refused where two patterns would have to hold for one thing', () => {
    const spec = specOf({ traffic: { routes: [{ name: 'a', match: [{ path: { regex: '/a.*' } }] }] } })
    const match = [{ path: { regex: '/b.*' } }]
    expect(istio.render(inputOf({ spec, weights, candidate: { version: 'v2', match } }))).toMatchObject({
      ok: false,
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/traffic/routes/0/match/0' }] },
    })
  })

  it('has its copies beside those of the policy, and they alone count as its side route', () => {
    const spec = specOf({ traffic: { mirror: { version: 'v1', percent: 20 } } })
    const [, plain] = rendered(inputOf({ spec, weights }))
    expect(istio.liveSideRoutes(plain)).toEqual([])
    const [, both] = rendered(inputOf({ spec, weights, candidate: { version: 'v2', mirror: 5 } }))
    expect(both.spec?.http).toMatchObject([
      {
        mirrors: [
          { destination: { subset: 'v2' }, percentage: { value: 5 } },
          { destination: { subset: 'v1' }, percentage: { value: 20 } },
        ],
      },
    ])
    expect(istio.liveSideRoutes(both)).toMatchObject([{ kind: 'mirror', version: 'v2' }])
  })
})

describe('a match that is both of two', () => {
  const text = fc.oneof(
    fc.record({ exact: fc.constantFrom('a', 'ab') }),
    fc.record({ prefix: fc.constantFrom('a', 'b') }),
    fc.record({ regex: fc.constantFrom('a+', '[ab]+') }),
  )
  const path = fc.oneof(
    fc.record({ exact: fc.constantFrom('/a', '/a/b', '/ab') }),
    fc.record({ prefix: fc.constantFrom('/', '/a', '/a/', '/a/b') }),
    fc.record({ regex: fc.constantFrom('/a.*', '/[ab]') }),
  )
  const cookies = fc.array(
    fc.oneof(
      fc.record({ name: fc.constantFrom('c', 'd') }),
      fc.record({ name: fc.constantFrom('c', 'd'), value: fc.constantFrom('1', '2') }),
    ),
    { minLength: 1, maxLength: 1 },
  )
  const match: fc.Arbitrary<NeutralMatch> = fc.record(
    { path, headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), text, { minKeys: 1 }), cookies },
    { requiredKeys: [] },
  )
  const request = fc.record({
    port: fc.constant(80),
    path: fc.constantFrom('/', '/a', '/a/b', '/ab', '/b'),
    headers: fc.record(
      {
        'x-a': fc.constantFrom('a', 'ab', 'b'),
        'x-b': fc.constantFrom('a', 'b'),
        cookie: fc.constantFrom('c=1', 'd=2; c=1', 'c=2;d=1', 'd=2'),
      },
      { requiredKeys: [] },
    ),
  })
  const fits = (one: NeutralMatch, asked: { port: number; path: string; headers: Record<string, string> }) =>
    requestMatches([one], undefined).some((form) => fitsMatch(form, asked))

  it('takes the requests that both take, and no others', () => {
    fc.assert(
      fc.property(match, match, request, (a, b, asked) => {
        const both = bothOf(a, b)
        if (both === 'unsayable') return
        const expected = fits(a, asked) && fits(b, asked)
        expect(both === 'none' ? false : fits(both, asked)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })
})
