import type { RequestShape } from './route-source.ts'
import type { Caller, RequestSpec } from './world-spec.ts'

/** A part of a caller's requests that look alike. */
export interface RequestKind {
  /** 0 to 1. */
  readonly share: number
  readonly request: RequestSpec
}

/** `GET /` without headers. */
export const PLAIN: RequestSpec = { path: '/', headers: {}, cookies: {} }

/** The kinds of a caller's requests; their shares have the sum 1. */
export function requestKinds({ requests = [] }: Caller): readonly RequestKind[] {
  const kinds = requests.map(({ percent, ...request }) => ({ share: percent / 100, request }))
  const rest = 1 - kinds.reduce((sum, { share }) => sum + share, 0)
  return [...kinds, { share: Math.max(0, rest), request: PLAIN }].filter(({ share }) => share > 0)
}

/** A request as routes see it; `kept` is a further cookie (`name=value`). */
export function shapeOf({ path, headers, cookies }: RequestSpec, port: number, kept?: string): RequestShape {
  const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`)
  const all = kept === undefined ? pairs : [...pairs, kept]
  return { port, path, headers: all.length === 0 ? headers : { ...headers, cookie: all.join('; ') } }
}
