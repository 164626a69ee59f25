import { expect, it } from 'vitest'
import { type Both, bothOf } from '../../../../src/mesh/istio/both-of.ts'
import type { NeutralMatch } from '../../../../src/mesh/istio/request-match.ts'

const header = (match: { exact: string } | { prefix: string } | { regex: string }): NeutralMatch => ({
  headers: { 'x-a': match },
})
const cookie = (name: string, value?: string): NeutralMatch => ({
  cookies: [{ name, ...(value === undefined ? {} : { value }) }],
})

it.each<[string, NeutralMatch, NeutralMatch, Both<NeutralMatch>]>([
  ['nothing and something', {}, header({ exact: 'b' }), header({ exact: 'b' })],
  ['two prefixes, one within the other', header({ prefix: 'a' }), header({ prefix: 'ab' }), header({ prefix: 'ab' })],
  ['two prefixes that part', header({ prefix: 'a' }), header({ prefix: 'b' }), 'none'],
  ['a value and a prefix of it', header({ prefix: 'a' }), header({ exact: 'ab' }), header({ exact: 'ab' })],
  ['a value and a pattern that it does not fit', header({ exact: 'ab' }), header({ regex: 'a' }), 'none'],
  ['two patterns', header({ regex: 'a+' }), header({ regex: 'b+' }), 'unsayable'],
  ['a pattern twice', header({ regex: 'a+' }), header({ regex: 'a+' }), header({ regex: 'a+' })],
  ['a pattern and a prefix', header({ regex: 'a+' }), header({ prefix: 'a' }), 'unsayable'],
  ['methods that overlap', { methods: ['GET', 'POST'] }, { methods: ['POST', 'PUT'] }, { methods: ['POST'] }],
  ['methods that do not', { methods: ['GET'] }, { methods: ['PUT'] }, 'none'],
  ['paths by segments', { path: { prefix: '/a' } }, { path: { exact: '/ab' } }, 'none'],
  ['a path within', { path: { prefix: '/a/' } }, { path: { prefix: '/a/b' } }, { path: { prefix: '/a/b' } }],
  ['one cookie by name and by value', cookie('c'), cookie('c', '1'), cookie('c', '1')],
  ['one cookie by two values', cookie('c', '1'), cookie('c', '2'), 'none'],
  ['two cookies', cookie('c', '1'), cookie('d'), { cookies: [{ name: 'c', value: '1' }, { name: 'd' }] }],
])('of %s', (_, a, b, both) => {
  expect(bothOf(a, b)).toEqual(both)
})
