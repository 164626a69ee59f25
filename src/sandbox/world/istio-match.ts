import * as z from 'zod'
import type { RequestShape } from './route-source.ts'

const text = z.union([
  z.strictObject({ exact: z.string() }),
  z.strictObject({ prefix: z.string() }),
  z.strictObject({ regex: z.string() }),
])
type TextMatch = z.infer<typeof text>

/** Of a VirtualService's match what the simulated requests have; another condition fits none of them. */
const requestMatch = z.strictObject({
  name: z.string().optional(),
  port: z.number().optional(),
  uri: text.optional(),
  ignoreUriCase: z.boolean().optional(),
  method: text.optional(),
  headers: z.record(z.string(), z.union([text, z.strictObject({})])).optional(),
})

/** Does a request fit a match of a VirtualService? All its conditions must hold; patterns are for the whole value. */
export function fitsMatch(match: unknown, request: RequestShape): boolean {
  const parsed = requestMatch.safeParse(match)
  if (!parsed.success) return false
  const { port, uri, method, ignoreUriCase = false, headers = {} } = parsed.data
  if (port !== undefined && port !== request.port) return false
  if (uri && !fitsText(uri, request.path, ignoreUriCase)) return false
  // All simulated requests only read.
  if (method && !fitsText(method, 'GET', false)) return false
  return Object.entries(headers).every(([name, wanted]) => {
    const value = request.headers[name.toLowerCase()]
    return value !== undefined && (isText(wanted) ? fitsText(wanted, value, false) : true)
  })
}

function isText(wanted: TextMatch | Readonly<Record<string, never>>): wanted is TextMatch {
  return Object.keys(wanted).length > 0
}

function fitsText(wanted: TextMatch, value: string, ignoreCase: boolean): boolean {
  if ('regex' in wanted) return new RegExp(`^(?:${wanted.regex})$`).test(value)
  const folded = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  return 'exact' in wanted ? folded(value) === folded(wanted.exact) : folded(value).startsWith(folded(wanted.prefix))
}
