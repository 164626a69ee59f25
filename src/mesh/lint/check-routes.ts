import type { PolicyRoute } from '../../model/policy/traffic.ts'
import {
  fitsPattern,
  type HttpMatch,
  httpMatches,
  isWithin,
  type PathMatch,
  type ValueMatch,
} from '../http-route/http-match.ts'
import { type Finding, finding } from './finding.ts'
import { type Desired, pointerOf, sourceOf } from './subject.ts'

const FIELD = '/traffic/routes'

/**
 * Routes and matches that no request reaches, for the first that matches counts. A match is told of only where a single
 * one before it surely takes all its requests, on all its ports.
 */
export function checkRoutes(desired: Desired): readonly Finding[] {
  const routes = desired.policy.policy.traffic?.routes ?? []
  return routes.flatMap((route, index) => {
    const covered = route.match.map((match) => {
      const parts = httpMatches([match])
      const by = parts.map((part) => routes.slice(0, index).find((before) => takes(desired, before, route, part)))
      return by.every((one) => one !== undefined) ? [...new Set(by.map(({ name }) => name))] : undefined
    })
    const from = sourceOf(desired, FIELD)
    if (covered.every((by) => by !== undefined)) {
      const by = [...new Set(covered.flat())].join(', ')
      const message = `Route ${route.name} is never used: ${by} before it takes all its requests${from}.`
      return [finding('RouteNeverUsed', message, { field: pointerOf(desired, FIELD, `/${index}`) })]
    }
    return covered.flatMap((by, at) => {
      if (!by) return []
      const message = `Match ${at} of route ${route.name} is never used: ${by.join(', ')} before it takes its requests${from}.`
      return [finding('RouteMatchNeverUsed', message, { field: pointerOf(desired, FIELD, `/${index}/match/${at}`) })]
    })
  })
}

function takes({ spec }: Desired, before: PolicyRoute, route: PolicyRoute, part: HttpMatch): boolean {
  const all = spec.ports.filter(({ protocol }) => protocol !== 'tcp').map(({ name }) => name)
  const ports = before.ports ?? all
  if (!(route.ports ?? all).every((name) => ports.includes(name))) return false
  return httpMatches(before.match).some((match) => covers(match, part))
}

/** Does every request that fits `small` fit `big`? In doubt, no. */
function covers(big: HttpMatch, small: HttpMatch): boolean {
  return (
    coversPath(big.path, small.path) &&
    (big.method === undefined || big.method === small.method) &&
    coverValues(big.headers, small.headers) &&
    coverValues(big.queryParams, small.queryParams)
  )
}

function coversPath(big: PathMatch, small: PathMatch): boolean {
  if (big.type === small.type && big.value === small.value) return true
  if (big.type === 'PathPrefix' && big.value === '/') return true
  if (big.type === 'Exact' || small.type === 'RegularExpression') return false
  if (big.type === 'PathPrefix') return isWithin(small.value, big.value)
  return small.type === 'Exact' && fitsPattern(big.value, small.value)
}

function coverValues(big: readonly ValueMatch[] = [], small: readonly ValueMatch[] = []): boolean {
  return big.every((one) => {
    const other = small.find(({ name }) => name === one.name)
    if (!other) return false
    if (one.type === other.type && one.value === other.value) return true
    return one.type === 'RegularExpression' && other.type === 'Exact' && fitsPattern(one.value, other.value)
  })
}
