import { type Constraint, parseConstraint } from './route-constraints.ts'

/** An HTTP function as it asks to be reached. */
export interface HttpRouteInput {
  readonly functionName: string
  /** A template such as `clusters/{name}`; empty means the function's name. */
  readonly route: string
  readonly methods: readonly string[]
}

/** The function a request goes to. A parameter that took part but had no value is null. */
export interface RouteMatch {
  readonly functionName: string
  readonly params: ReadonlyMap<string, string | null>
}

export type RouteTable = (method: string, path: string) => RouteMatch | undefined

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter' | 'catch-all'
      readonly name: string
      readonly optional: boolean
      readonly fallback: string | undefined
      readonly constraints: readonly Constraint[]
    }

interface Route {
  readonly functionName: string
  readonly methods: ReadonlySet<string>
  readonly segments: readonly Segment[]
}

/**
 * Routes as Azure does it: the routes are tried in the order of the *function names* (case ignored) and the first whose
 * template, constraints and methods fit wins. How specific a template is does not count, so a catch-all must have the
 * last name. A wrong method is no match (404, not 405). Literals ignore case; a slash at the end is ignored.
 * Source: WebJobsRouteBuilder and FunctionMetadataManager of the Functions host.
 * Throws for templates that Azure refuses and for those this host cannot do (`v{x}.json` inside one segment).
 */
export function createRouteTable(routePrefix: string, inputs: readonly HttpRouteInput[]): RouteTable {
  const routes = inputs.map((input) => toRoute(routePrefix, input)).sort(byFunctionName)
  return (method, path) => {
    const segments = splitPath(path)
    for (const route of routes) {
      if (!route.methods.has(method.toUpperCase())) continue
      const params = matchSegments(route.segments, segments)
      if (params) return { functionName: route.functionName, params }
    }
    return undefined
  }
}

function byFunctionName(left: Route, right: Route): number {
  const [a, b] = [left.functionName.toUpperCase(), right.functionName.toUpperCase()]
  if (a === b) return 0
  return a < b ? -1 : 1
}

function toRoute(prefix: string, input: HttpRouteInput): Route {
  const own = input.route === '' ? input.functionName : input.route
  const template = prefix === '' ? own : `${prefix}/${own}`
  if (template.startsWith('/') || template.startsWith('~')) {
    throw new Error(`Function "${input.functionName}": the route "${template}" may not begin with "/" or "~"`)
  }
  const segments = template
    .replace(/\/$/, '')
    .split('/')
    .map((part) => parseSegment(part, input.functionName))
  checkOrder(segments, input.functionName)
  return { functionName: input.functionName, methods: new Set(input.methods.map((m) => m.toUpperCase())), segments }
}

function checkOrder(segments: readonly Segment[], functionName: string): void {
  const first = segments[0]
  if (first?.kind === 'literal' && /^(admin|runtime)$/i.test(first.text)) {
    throw new Error(`Function "${functionName}": routes under "${first.text}" belong to the Functions host`)
  }
  segments.forEach((segment, index) => {
    if (index < segments.length - 1 && segment.kind === 'catch-all') {
      throw new Error(`Function "${functionName}": a catch-all must be the last part of the route`)
    }
  })
}

function parseSegment(part: string, functionName: string): Segment {
  if (part === '') throw new Error(`Function "${functionName}": the route has an empty segment`)
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase() }
  const parameter = /^\{(\*{0,2})([^:=?{}*]+)((?::[^{}]*(?:\{\{[^{}]*\}\}[^{}]*)*)?)\}$/.exec(normalise(part))
  if (!parameter) throw new Error(`Function "${functionName}": the local host cannot route "${part}"`)
  const [, stars = '', name = '', tail = ''] = parameter
  const { constraints, fallback, optional } = parseTail(tail)
  return { kind: stars === '' ? 'parameter' : 'catch-all', name, optional, fallback, constraints }
}

/** Brings `{name?}` and `{name=x}` to the form with a colon, so that one pattern reads all. */
function normalise(part: string): string {
  return part.replace(/^(\{\*{0,2}[^:=?{}*]+)([=?])/, '$1:$2')
}

function parseTail(tail: string): { constraints: Constraint[]; fallback: string | undefined; optional: boolean } {
  const optional = tail.endsWith('?') && !tail.endsWith('=?')
  const body = optional ? tail.slice(0, -1) : tail
  const [before = '', fallback] = splitDefault(body)
  const names = before.split(/:(?![^(]*\))/).filter((text) => text !== '')
  return { constraints: names.map(parseConstraint), fallback, optional }
}

function splitDefault(body: string): [string, string | undefined] {
  const at = body.search(/=(?![^(]*\))/)
  return at < 0 ? [body, undefined] : [body.slice(0, at), body.slice(at + 1)]
}

/** The path's segments, decoded once. An encoded slash stays encoded, as in Azure, and so cannot add a segment. */
function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '')
  return trimmed === '' ? [] : trimmed.split('/').map(decodeSegment)
}

function decodeSegment(segment: string): string {
  return segment.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    const parts = encoded.split(/(%2f)/i)
    return parts.map((part) => (/^%2f$/i.test(part) ? part : decodeOrKeep(part))).join('')
  })
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function matchSegments(
  template: readonly Segment[],
  path: readonly string[],
): ReadonlyMap<string, string | null> | undefined {
  const params = new Map<string, string | null>()
  const open = template.at(-1)?.kind === 'catch-all'
  if (path.length > template.length && !open) return undefined
  for (const [index, segment] of template.entries()) {
    const given = segment.kind === 'catch-all' ? path.slice(index).join('/') : path[index]
    if (segment.kind === 'literal') {
      if (given?.toLowerCase() !== segment.text) return undefined
      continue
    }
    const value = given === '' || given === undefined ? segment.fallback : given
    if (given === '' && segment.kind === 'parameter') return undefined
    if (value === undefined && segment.kind === 'parameter' && !segment.optional) return undefined
    if (value !== undefined && !segment.constraints.every((accepts) => accepts(value))) return undefined
    params.set(segment.name, value ?? null)
  }
  return params
}
