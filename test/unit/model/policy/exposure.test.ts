import { describe, expect, it } from 'vitest'
import { exposureSpec } from '../../../../src/model/policy/exposure.ts'

const parse = (path: string) => exposureSpec.safeParse({ host: 'web.example.com', path })

describe('the path of an exposure', () => {
  it.each(['/', '/api', '/api/', '/a.b/..c', '/.well-known/x', '/a...b'])('may be %s', (path) => {
    expect(parse(path)).toMatchObject({ success: true, data: { path } })
  })

  it.each(['', 'api', '//', '/a//b', '/.', '/./a', '/..', '/a/..', '/a/../b'])('cannot be %s', (path) => {
    const { error } = parse(path)
    expect(error?.issues.map((issue) => issue.path)).toEqual([['path']])
  })
})
