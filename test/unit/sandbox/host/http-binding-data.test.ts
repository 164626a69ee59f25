import { describe, expect, test } from 'vitest'
import { httpBindingData, joinHeaders } from '../../../../src/sandbox/host/http-binding-data.ts'

function dataOf(given: {
  params?: [string, string | null][]
  query?: string
  headers?: Record<string, string>
  body?: string
}) {
  return httpBindingData({
    match: { functionName: 'fn', params: new Map(given.params ?? []) },
    query: new URLSearchParams(given.query ?? ''),
    headers: given.headers ?? {},
    body: given.body === undefined ? undefined : new TextEncoder().encode(given.body),
  })
}

describe('the binding data of a request', () => {
  test('holds route parameters, query and headers', () => {
    expect(dataOf({ params: [['id', '7']], query: 'a=1&a=2', headers: { accept: 'x' } })).toEqual({
      a: { string: '2' },
      id: { string: '7' },
      Query: { json: '{"a":"2"}' },
      Headers: { json: '{"accept":"x"}' },
    })
  })

  test('the route wins over the query, which wins over the body, but the first spelling stays', () => {
    const data = dataOf({ params: [['id', 'route']], query: 'ID=query', body: '{"Id":"body"}' })
    expect(data).toMatchObject({ Id: { string: 'route' } })
    expect(data).not.toHaveProperty('id')
  })

  test('a parameter without a value hides what the caller sent under its name', () => {
    expect(dataOf({ params: [['path', null]], query: 'path=x' })).not.toHaveProperty('path')
  })

  test('takes the top-level members of a JSON object, but no lists and no nulls', () => {
    const body = JSON.stringify({ text: 'a', count: 1.5, yes: true, list: [1], none: null, deep: { b: 1 } })
    expect(dataOf({ body })).toMatchObject({
      text: { string: 'a' },
      count: { string: '1.5' },
      yes: { string: 'True' },
      deep: { json: '{"b":1}' },
    })
    expect(Object.keys(dataOf({ body })).sort()).toEqual(['Headers', 'Query', 'count', 'deep', 'text', 'yes'])
  })

  test.each(['{broken}', '[1]', '"text"', ''])('takes nothing from the body %s', (body) => {
    expect(Object.keys(dataOf({ body })).sort()).toEqual(['Headers', 'Query'])
  })

  test('a member named Headers replaces the headers, whatever its spelling hides them', () => {
    expect(dataOf({ headers: { a: '1' }, body: '{"Headers":{"a":"2"}}' }).Headers).toEqual({ json: '{"a":"2"}' })
    expect(dataOf({ headers: { a: '1' }, query: 'hEaders=x' })).not.toHaveProperty('Headers')
  })
})

test('headers that come twice are joined, cookies with a semicolon', () => {
  expect(joinHeaders(['Accept', 'a', 'accept', 'b', 'Cookie', 'x=1', 'cookie', 'y=2'])).toEqual({
    accept: 'a,b',
    cookie: 'x=1; y=2',
  })
})
