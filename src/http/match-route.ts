import { BASE_PATH, type Method, type Route } from './route.ts'

/** A path template cut into its segments; `{name}` takes any one segment. */
interface Compiled {
  readonly segments: readonly string[]
  readonly route: Route
}

export type Match =
  | { readonly kind: 'route'; readonly route: Route; readonly raw: Readonly<Record<string, string>> }
  /** The path is there, but not with this method. */
  | { readonly kind: 'method'; readonly allow: readonly Method[] }
  | { readonly kind: 'none' }

export type Router = (method: string, path: string) => Match

/** Finds the route of a request. Literal segments win over parameters. Parameters come as they were sent, escapes and all. */
export function createRouter(routes: readonly Route[]): Router {
  const byLength = new Map<number, Compiled[]>()
  for (const route of routes) {
    for (const path of pathsOf(route)) {
      const segments = split(path)
      const compiled = byLength.get(segments.length) ?? []
      byLength.set(segments.length, [...compiled, { segments, route }])
    }
  }
  for (const compiled of byLength.values()) compiled.sort((a, b) => parameters(a) - parameters(b))
  return (method, path) => {
    const sent = split(path)
    const fitting = (byLength.get(sent.length) ?? []).filter(({ segments }) => fits(segments, sent))
    const least = fitting[0] ? parameters(fitting[0]) : 0
    const candidates = fitting.filter((compiled) => parameters(compiled) === least)
    const found = candidates.find(({ route }) => route.method === method)
    if (found) return { kind: 'route', route: found.route, raw: capture(found.segments, sent) }
    if (candidates.length === 0) return { kind: 'none' }
    return { kind: 'method', allow: candidates.map(({ route }) => route.method) }
  }
}

/** Every path of the host at which a route is served. */
export function pathsOf(route: Route): readonly string[] {
  if (route.root === 'only') return [route.path]
  return route.root === 'both' ? [route.path, BASE_PATH + route.path] : [BASE_PATH + route.path]
}

function split(path: string): readonly string[] {
  return path.split('/').slice(1)
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{')
}

function parameters({ segments }: Compiled): number {
  return segments.filter(isParameter).length
}

function fits(segments: readonly string[], sent: readonly string[]): boolean {
  return segments.every((segment, index) => (isParameter(segment) ? sent[index] !== '' : segment === sent[index]))
}

function capture(segments: readonly string[], sent: readonly string[]): Readonly<Record<string, string>> {
  const captured = segments.flatMap((segment, index) =>
    isParameter(segment) ? [[segment.slice(1, -1), sent[index] ?? ''] as const] : [],
  )
  return Object.fromEntries(captured)
}
