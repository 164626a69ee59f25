import { describe, expect, it } from 'vitest'
import { routeMatch } from '../../../src/model/route-match.ts'

describe('a regular expression of a match', () => {
  it.each([
    'shop-[0-9]+',
    '.*Firefox/1(2[0-9]|30).*',
    String.raw`\d{3}-\w+`,
    String.raw`a\.b\-c\/d\[\]`,
    String.raw`[\w.-]+@example\.com`,
    '(?:a|b){2}',
    '[a-z]{1000}',
    String.raw`\x41`,
    '[A-_]',
    'a{,5}',
    '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}',
    String.raw`(?:\d{1,3}\.){3}\d{1,3}`,
    '[{][(]{400}[)]a{400}',
  ])('is taken when RE2 reads it alike: %s', (regex) => {
    expect(routeMatch.safeParse({ path: { regex } }).success).toBe(true)
  })

  it.each([
    ['look-ahead', '(?=a)b'],
    ['look-behind', '(?<!a)b'],
    ['back reference', String.raw`(a)\1`],
    ['back reference by name', String.raw`(?<x>a)\k<x>`],
    ['an escape that RE2 does not know', String.raw`\u0041`],
    ['an escape that RE2 reads otherwise', String.raw`\A`],
    ['a class that is empty', '[]'],
    ['a class of everything', '[^]'],
    ['a class by a name', '[[:nothing:]]'],
    ['a range that ends in a class', String.raw`[a-\d]`],
    ['a count above 1000', 'a{1001}'],
    ['counts within counts above 1000', '(a{100}){100}'],
    ['counts within counts of nothing', '((){100}){100}'],
    ['counts that are above 1000 together', '.{400}/.{400}/.{400}'],
    ['a long group with a count', '([a-c]{20}/[d-f]{20}){30}'],
    ['a count of a class with many letters', '[äëïöü]{400}'],
    ['an escape of a letter that is not ASCII', String.raw`\é`],
    ['nothing to repeat', '*a'],
    ['an open group', '(a'],
  ])('is refused: %s', (_, regex) => {
    expect(routeMatch.safeParse({ path: { regex } }).error?.message).toContain('RE2')
  })
})

describe('a path of a match', () => {
  it.each(['/', '/a/', '/.well-known/x', '/a..'])('is taken: %s', (path) => {
    for (const match of [{ exact: path }, { prefix: path }])
      expect(routeMatch.safeParse({ path: match }).error?.issues).toBeUndefined()
  })

  it.each(['/a?b=1', '/a#b', '//a', '/a//', '/a/../b', '/a/.', '/..'])(
    'is refused where no normalized path is like it: %s',
    (path) => {
      for (const match of [{ exact: path }, { prefix: path }])
        expect(routeMatch.safeParse({ path: match }).error?.message).toContain('normalized')
    },
  )
})
