import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isWithin, sayPaths } from '../../../../../src/mesh/osm/migration/paths.ts'

describe('a pathRegex in words of rules', () => {
  test.each<[string | undefined, readonly string[] | undefined, boolean?]>([
    [undefined, undefined],
    ['', undefined],
    ['.*', undefined],
    ['/.*', undefined],
    ['^/.*$', undefined],
    ['/books-bought', ['/books-bought']],
    ['^/books-bought$', ['/books-bought']],
    ['/books\\.html', ['/books.html']],
    ['/books.html', ['/books.html'], true],
    ['/api/.*', ['/api/*']],
    ['/api.*', ['/api*']],
    ['/api(/.*)?', ['/api', '/api/*']],
    ['/(a|b)', ['/a', '/b']],
    ['/a|/b/.*', ['/a', '/b/*']],
    ['/(?:v1|v2)/(in|out)', ['/v1/in', '/v1/out', '/v2/in', '/v2/out']],
  ])('%s', (regex, paths, narrowed = false) => {
    expect(sayPaths(regex)).toEqual({ paths, narrowed })
  })

  test.each([
    '^',
    '$',
    '^$',
    '()',
    '|/a',
    '.*a-book.*new',
    '/a+',
    '/a?',
    '/[a-z]',
    '/\\d',
    '/a.+',
    '/(a|b)*',
    '/(a',
    '/a)',
    '/(?i)a',
    '(/.*)x',
    '/.*?',
    '/a{2}',
    'books',
    '/a//b',
    '/a b',
    '/a\\*',
    '/{x}',
    '/$x',
    `/(${'a|b|c|d|e|f|g|'.repeat(5)}x)`,
    `/${'(a'.repeat(17)}${')'.repeat(17)}`,
    `/${'a'.repeat(1024)}`,
  ])('%s has none', (regex) => {
    expect(sayPaths(regex)).toBeUndefined()
  })

  test('groups within groups without end have none', () => {
    expect(sayPaths('('.repeat(1000))).toBeUndefined()
    expect(sayPaths('('.repeat(10_000))).toBeUndefined()
  })

  test('what is said fits the regular expression', () => {
    const piece = fc.constantFrom('/', 'a', 'b', '.', '\\.', '(a|b)', '(/.*)?', '.*', '|/', '(', ')', '?', '+', '-')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const regex = `/${pieces.join('')}`
        const said = sayPaths(regex)
        for (const path of said?.paths ?? []) {
          const texts = path.endsWith('*') ? ['', 'x', '/x', '.-'].map((end) => path.slice(0, -1) + end) : [path]
          for (const text of texts) expect(text).toMatch(new RegExp(`^(?:${regex})$`))
        }
      }),
    )
  })
})

describe('a path that stands for a pathRegex', () => {
  test.each([
    ['/buy-a-book/new', '.*a-book.*new', true],
    ['/buy-a-book/old', '.*a-book.*new', false],
    ['/api/*', '/api/.*', true],
    ['/api/v1*', '/api/.*', true],
    ['/api*', '/api/.*', false],
    ['/a*', '/a', false],
    ['/a*', '/a|.*', false],
    ['/a*', '/a\\.*', false],
    ['/a', undefined, true],
    ['/*', undefined, true],
    ['a', '.*', false],
    ['/a/../b', '.*', false],
    ['/{x}', '.*', false],
    ['/aaaa', '(/|a+)+', false],
    ['/az', '/a\\z', false],
    ['/a', '/(', false],
    ['/a', '/(?=a)a', false],
    ['/a', '/[[:alpha:]]', false],
    ['/xa]', '/[^]a]', false],
    ['/', '^', false],
  ])('%s within %s: %s', (path, regex, within) => {
    expect(isWithin(path, regex)).toBe(within)
  })

  test.each([
    ['.*a.*a.*a.*b', 240],
    [`${'a?'.repeat(60)}${'a'.repeat(60)}b`, 60],
    [`/${'(a|a)'.repeat(60)}b`, 60],
    ['.*'.repeat(2), 1025],
  ])('is not tried where that could take long: %s', (regex, length) => {
    const path = `/${'a'.repeat(length - 1)}`
    const began = performance.now()
    expect(isWithin(path, regex)).toBe(false)
    expect(performance.now() - began).toBeLessThan(250)
  })
})
