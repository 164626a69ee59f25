import type { TypedData } from './core-types.ts'
import type { RouteMatch } from './http-routes.ts'

/** What the binding data of a request is made of. */
export interface BindingSource {
  readonly match: RouteMatch
  readonly query: URLSearchParams
  /** One value a name; see `joinHeaders`. */
  readonly headers: Readonly<Record<string, string>>
  /** The body when the request told its length, else undefined. */
  readonly body: Uint8Array | undefined
}

/**
 * The trigger metadata of an HTTP request, made as Azure makes it (HttpTriggerAttributeBindingProvider). Beside the route's
 * parameters it holds every query parameter and every top-level member of a JSON body, in one map that ignores case and
 * keeps the spelling that came first. With streaming on, the library turns all of it into `request.params` and takes the
 * headers from the entry `Headers`. So in Azure, and here, a caller can
 *   - add params, and respell one (`?NAME=x` turns `params.name` into `params.NAME`, with the route's value),
 *   - replace all headers, by a query parameter or a body member `Headers`, or lose them (`headers`).
 * An app must take nothing but the body from what it could not check: path from `url`, identity from a signed token.
 */
export function httpBindingData(source: BindingSource): Record<string, TypedData> {
  const data = new Map<string, { key: string; value: TypedData | null }>()
  const put = (key: string, value: TypedData | null): void => {
    const known = data.get(key.toLowerCase())
    data.set(key.toLowerCase(), { key: known?.key ?? key, value })
  }
  for (const [key, value] of bodyMembers(source.body)) put(key, value)
  for (const [key, value] of source.query) {
    if (key.toLowerCase() !== 'code') put(key, { string: value })
  }
  for (const [key, value] of source.match.params) put(key, value === null ? null : { string: value })
  if (!data.has('query')) put('Query', { json: JSON.stringify(Object.fromEntries(source.query)) })
  if (!data.has('headers')) put('Headers', { json: JSON.stringify(source.headers) })

  const metadata: Record<string, TypedData> = {}
  for (const { key, value } of data.values()) {
    if (value !== null) metadata[key] = value
  }
  return metadata
}

/** Header lines as one value a name, those that came twice joined by a comma (cookies by `; `). Names in lower case. */
export function joinHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const joined: Record<string, string> = {}
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    const before = joined[name]
    joined[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`
  }
  return joined
}

function bodyMembers(body: Uint8Array | undefined): [string, TypedData][] {
  const text = body === undefined ? '' : new TextDecoder().decode(body).trim()
  if (!text.startsWith('{') || !text.endsWith('}')) return []
  try {
    return Object.entries(JSON.parse(text) as object).flatMap(([key, value]) => bodyMember(key, value))
  } catch {
    return []
  }
}

function bodyMember(key: string, value: unknown): [string, TypedData][] {
  if (value === null || Array.isArray(value)) return []
  if (typeof value === 'object') return [[key, { json: JSON.stringify(value) }]]
  if (typeof value === 'boolean') return [[key, { string: value ? 'True' : 'False' }]]
  return [[key, { string: String(value) }]]
}
