import { describe, expect, it } from 'vitest'
import { bothMatches } from '../../../../src/mesh/http-route/both-matches.ts'
import { type HttpMatch, httpMatches, pathProblem, prefixMatch } from '../../../../src/mesh/http-route/http-match.ts'
import { mayOvertake } from '../../../../src/mesh/http-route/precedence.ts'
import type { RequestMatch } from '../../../../src/model/policy/request-match.ts'

const one = (match: RequestMatch): HttpMatch => httpMatches([match])[0] as HttpMatch
const exact = (value: string) => one({ path: { exact: value } })
const prefix = (value: string) => one({ path: { prefix: value } })
const header = (value: string) => one({ headers: { 'x-a': { exact: value } } })

describe('a match of the policy as the Gateway API writes it', () => {
  it('has one match for each method, and the defaults written out', () => {
    expect(httpMatches([{ methods: ['GET', 'HEAD'], query: { q: { exact: '1' } } }])).toEqual([
      {
        path: { type: 'PathPrefix', value: '/' },
        method: 'GET',
        queryParams: [{ type: 'Exact', name: 'q', value: '1' }],
      },
      {
        path: { type: 'PathPrefix', value: '/' },
        method: 'HEAD',
        queryParams: [{ type: 'Exact', name: 'q', value: '1' }],
      },
    ])
  })

  it('makes a regular expression of a prefix of a header and of a cookie', () => {
    expect(one({ headers: { 'x-b': { prefix: 'a.b' } }, cookie: { name: 'beta' } }).headers).toEqual([
      { type: 'RegularExpression', name: 'cookie', value: '(.*;\\s*)?beta=[^;]*(\\s*;.*)?' },
      { type: 'RegularExpression', name: 'x-b', value: 'a\\.b.*' },
    ])
  })

  it.each([
    ['/a/', '/a'],
    ['/', '/'],
    ['///', '/'],
  ])('of the prefix %s has the segments %s', (given, value) => {
    expect(prefixMatch(given).value).toBe(value)
  })

  it.each(['/a//b', '/a/../b', '/a/.', '/a%2Fb', '/ä', '/a b', '/a?b'])('is refused with the path %s', (value) => {
    expect(pathProblem({ type: 'Exact', value })).toBeTypeOf('string')
    expect(pathProblem({ type: 'Exact', value: '/a/b.c~%20' })).toBeUndefined()
  })
})

describe('requests that fit two matches', () => {
  it.each<[string, HttpMatch, HttpMatch, unknown]>([
    ['a path within a prefix', exact('/a/b'), prefix('/a'), exact('/a/b')],
    ['a path beside a prefix', exact('/ab'), prefix('/a'), 'none'],
    ['prefixes, one within the other', prefix('/a'), prefix('/a/b'), prefix('/a/b')],
    ['a pattern and a path that fits', one({ path: { regex: '/[a-z]+' } }), exact('/a'), exact('/a')],
    ['a pattern and a path that does not', one({ path: { regex: '/[a-z]+' } }), exact('/1'), 'none'],
    ['a pattern and a prefix', one({ path: { regex: '/[a-z]+' } }), prefix('/a'), 'unclear'],
    ['other values of one header', header('x'), header('y'), 'none'],
    [
      'one header by two patterns',
      one({ headers: { a: { regex: 'x+' } } }),
      one({ headers: { a: { regex: 'y+' } } }),
      'unclear',
    ],
    ['other methods', one({ methods: ['GET'] }), one({ methods: ['PUT'] }), 'none'],
  ])('%s', (_, a, b, both) => {
    expect(bothMatches(a, b)).toEqual(both)
    expect(bothMatches(b, a)).toEqual(both)
  })
})

describe('a later route', () => {
  const method = one({ methods: ['GET'] })
  it.each<[string, HttpMatch, HttpMatch, boolean, boolean]>([
    ['with a longer prefix', prefix('/a/b'), prefix('/a'), true, true],
    ['with a shorter prefix', prefix('/a'), prefix('/a/b'), false, false],
    ['with a prefix of its own', prefix('/b'), prefix('/a'), false, false],
    ['with an exact path, where Linkerd draws', exact('/a'), prefix('/a'), true, false],
    ['with a longer exact path', exact('/a/b'), prefix('/a'), true, true],
    ['with a method, before a header', method, header('x'), true, false],
    ['with a header, before a method', header('x'), method, false, true],
    ['with the same', header('x'), header('x'), false, false],
    ['with a header more', one({ path: { prefix: '/a' }, headers: { h: { exact: 'x' } } }), prefix('/a'), true, true],
    ['with a header and a shorter path', header('x'), prefix('/a'), false, false],
    ['with a pattern for the path', one({ path: { regex: '/a/.*' } }), prefix('/a'), true, true],
  ])('%s: standard %s, linkerd %s', (_, later, earlier, standard, linkerd) => {
    expect(mayOvertake(later, earlier, 'standard')).toBe(standard)
    expect(mayOvertake(later, earlier, 'linkerd')).toBe(linkerd)
  })
})
