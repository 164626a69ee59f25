import { describe, expect, it } from 'vitest'
import { countRequests, countSlow, isFailed } from '../../../src/judge/count-events.ts'

const request = (version: string, code: string, increase: number, grpc = '') => ({
  labels: { destination_version: version, response_code: code, grpc_response_status: grpc },
  increase,
})

describe('good and bad requests', () => {
  it('are summed by version', () => {
    const counts = countRequests([
      request('v1', '200', 90),
      request('v1', '404', 5),
      request('v1', '503', 2),
      request('v2', '200', 7),
      request('v2', '500', 1),
      request('v2', '200', 3, '14'),
      request('v2', '200', 4, '0'),
    ])
    expect(counts.get('v1')).toEqual({ good: 95, bad: 2 })
    expect(counts.get('v2')).toEqual({ good: 11, bad: 4 })
    expect(counts.get('v3')).toBeUndefined()
  })

  it('can be told apart by another label; a missing one is unknown', () => {
    const increases = [{ labels: { destination_workload: 'web', response_code: '500' }, increase: 2 }]
    expect(countRequests(increases, 'destination_workload').get('web')).toEqual({ good: 0, bad: 2 })
    expect(countRequests(increases).get('unknown')).toEqual({ good: 0, bad: 2 })
  })

  it('take a version of any name', () => {
    expect(countRequests([request('__proto__', '200', 1)]).get('__proto__')).toEqual({ good: 1, bad: 0 })
  })

  it.each([
    ['200', '', false],
    ['301', '', false],
    ['429', '', false],
    ['499', '', false],
    ['0', '', false],
    ['500', '', true],
    ['503', '', true],
    ['599', '', true],
    ['50', '', false],
    ['', '', false],
    ['503', '0', true],
  ])('HTTP %s with gRPC status "%s": failed is %s', (code, status, failed) => {
    expect(isFailed(code, status)).toBe(failed)
  })

  it('of gRPC fail by the server’s statuses alone', () => {
    const failing = Array.from({ length: 20 }, (_, status) => status).filter((status) => isFailed('200', `${status}`))
    expect(failing).toEqual([2, 4, 12, 13, 14, 15, 17, 18, 19])
    expect(isFailed('200', 'unknown')).toBe(false)
  })
})

describe('slow requests', () => {
  const histogram = (version: string, buckets: Record<string, number>, pod = 'a') =>
    Object.entries(buckets).map(([le, increase]) => ({ labels: { destination_version: version, pod, le }, increase }))

  it('are those beyond the edge', () => {
    const buckets = [
      ...histogram('v1', { '250': 80, '500': 95, '1000': 99, '+Inf': 100 }),
      ...histogram('v1', { '250': 8, '500': 9, '1000': 10, '+Inf': 10 }, 'b'),
      ...histogram('v2', { '250': 1, '500': 5, '1000': 7, '+Inf': 9 }),
    ]
    const counts = countSlow(buckets, 500)
    expect(counts).toMatchObject({ ok: true })
    expect(counts.ok && [...counts.byVersion]).toEqual([
      ['v1', { good: 104, bad: 6 }],
      ['v2', { good: 5, bad: 4 }],
    ])
  })

  it('compare edges as numbers', () => {
    const counts = countSlow(histogram('v1', { '5e+02': 3, '+Inf': 4 }), 500)
    expect(counts.ok && counts.byVersion.get('v1')).toEqual({ good: 3, bad: 1 })
    const other = countSlow(histogram('v1', { '500.0': 3, '+Inf': 4 }), 500)
    expect(other.ok && other.byVersion.get('v1')).toEqual({ good: 3, bad: 1 })
  })

  it.each([
    [600, [500, 1000]],
    [100, [250, 500]],
    [5000, [500, 1000]],
  ])('name the nearest edges when there is none at %s', (edgeMs, nearestMs) => {
    const buckets = histogram('v1', { '1000': 99, '250': 80, '500': 95, '+Inf': 100 })
    expect(countSlow(buckets, edgeMs)).toEqual({ ok: false, reason: 'NoSuchEdge', edgeMs, nearestMs })
  })

  it('need the edge in every histogram that saw requests', () => {
    const coarse = histogram('v2', { '1000': 4, '+Inf': 4 })
    const fine = histogram('v1', { '500': 4, '+Inf': 4 })
    expect(countSlow([...fine, ...coarse], 500)).toMatchObject({ ok: false, nearestMs: [1000] })
    const idle = histogram('v2', { '1000': 0, '+Inf': 0 })
    expect(countSlow([...fine, ...idle], 500)).toMatchObject({ ok: true })
  })

  it('are none where nothing was measured', () => {
    expect(countSlow([], 500)).toEqual({ ok: true, byVersion: new Map() })
  })

  it('are never fewer than none', () => {
    const counts = countSlow(histogram('v1', { '500': 5, '+Inf': 2 }), 500)
    expect(counts.ok && counts.byVersion.get('v1')).toEqual({ good: 2, bad: 0 })
  })
})
