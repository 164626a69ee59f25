import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRouteTable, type HttpRouteInput } from '../../../../src/sandbox/host/http-routes.ts'

function route(functionName: string, template: string, methods = ['GET']): HttpRouteInput {
  return { functionName, route: template, methods }
}

function find(inputs: readonly HttpRouteInput[], path: string, method = 'GET', prefix = ''): unknown {
  const match = createRouteTable(prefix, inputs)(method, path)
  return match && [match.functionName, Object.fromEntries(match.params)]
}

describe('a route table', () => {
  test.each([
    ['literals ignore case', 'Clusters/list', '/clusters/LIST', {}],
    ['a slash at the end is ignored', 'clusters', '/clusters/', {}],
    ['a parameter takes one segment', 'clusters/{name}', '/clusters/east', { name: 'east' }],
    ['a parameter keeps its case', 'clusters/{Name}', '/clusters/East', { Name: 'East' }],
    ['a parameter does not take two segments', 'clusters/{name}', '/clusters/a/b', undefined],
    ['a parameter does not take nothing', 'clusters/{name}', '/clusters/', undefined],
    ['a parameter is decoded once', 'x/{name}', '/x/a%20b%2525', { name: 'a b%25' }],
    ['an encoded slash stays encoded', 'x/{name}', '/x/a%2Fb', { name: 'a%2Fb' }],
    ['broken escapes stay as they are', 'x/{name}', '/x/%E0%A4%A', { name: '%E0%A4%A' }],
    ['an optional parameter may be absent', 'x/{name?}', '/x', { name: null }],
    ['a default fills in', 'x/{name=all}', '/x', { name: 'all' }],
    ['a catch-all takes the rest', 'x/{*path}', '/x/a/b/c', { path: 'a/b/c' }],
    ['a catch-all takes nothing', '{*path}', '/', { path: null }],
    ['a catch-all with two stars is the same', 'x/{**path}', '/x/a/b', { path: 'a/b' }],
    ['int takes whole numbers', 'x/{id:int}', '/x/12', { id: '12' }],
    ['int refuses words', 'x/{id:int}', '/x/twelve', undefined],
    ['constraints add up', 'x/{id:int:min(5)}', '/x/4', undefined],
    ['range has two ends', 'x/{id:range(1,3)}', '/x/3', { id: '3' }],
    ['regex with braces', 'x/{id:regex(^a{{2}}$)}', '/x/aa', { id: 'aa' }],
    ['regex that fails', 'x/{id:regex(^a{{2}}$)}', '/x/aaa', undefined],
    ['guid', 'x/{id:guid}', '/x/0f8fad5b-d9cb-469f-a165-70867728950e', { id: '0f8fad5b-d9cb-469f-a165-70867728950e' }],
    ['an optional constraint', 'x/{id:int?}', '/x', { id: null }],
    ['an empty route is the function name', '', '/fn', {}],
  ])('%s', (_reason, template, path, params) => {
    expect(find([route('fn', template)], path)).toEqual(params && ['fn', params])
  })

  test('the first function name wins, however general its template', () => {
    const routes = [route('get-item', 'items/{id}'), route('B-all', '{*path}'), route('a-special', 'items/special')]
    expect(find(routes, '/items/special')).toEqual(['a-special', {}])
    expect(find(routes, '/items/7')).toEqual(['B-all', { path: 'items/7' }])
  })

  test('a catch-all with the last name takes what is left', () => {
    const routes = [route('zz', '{*path}', ['GET', 'POST']), route('get-item', 'items/{id}')]
    expect(find(routes, '/items/7')).toEqual(['get-item', { id: '7' }])
    expect(find(routes, '/items/7', 'POST')).toEqual(['zz', { path: 'items/7' }])
  })

  test('a wrong method is no match, HEAD is not GET', () => {
    expect(find([route('fn', 'x')], '/x', 'POST')).toBeUndefined()
    expect(find([route('fn', 'x')], '/x', 'HEAD')).toBeUndefined()
  })

  test('the prefix comes before every route', () => {
    expect(find([route('fn', 'x')], '/api/x', 'GET', 'api')).toEqual(['fn', {}])
    expect(find([route('fn', 'x')], '/x', 'GET', 'api')).toBeUndefined()
  })

  test.each([
    ['the host keeps admin for itself', 'admin/x', 'belong to the Functions host'],
    ['a catch-all in the middle', '{*path}/x', 'must be the last part'],
    ['a part of a segment', 'v{major}.json', 'cannot route'],
    ['an unknown constraint', 'x/{id:even}', 'does not know the route constraint "even"'],
    ['a slash at the start', '/x', 'may not begin with'],
    ['an empty segment', 'x//y', 'empty segment'],
  ])('refuses %s', (_reason, template, message) => {
    expect(() => createRouteTable('', [route('fn', template)])).toThrow(message)
  })

  test('whatever the path, a catch-all gets it and nothing throws', () => {
    const table = createRouteTable('', [route('all', '{*path}')])
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        expect(table('GET', path)?.functionName).toBe('all')
      }),
    )
  })
})
