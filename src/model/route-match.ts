import * as z from 'zod'

const text = z.string().min(1).max(1024)
const pattern = z
  .string()
  .min(1)
  .max(256)
  .refine(
    isPattern,
    'must be a regular expression (RE2: no look-around, no back references, and no more than 1000 characters once its counts are written out)',
  )

export const textMatch = z
  .union([z.strictObject({ exact: text }), z.strictObject({ prefix: text }), z.strictObject({ regex: pattern })])
  .describe('The whole value, its beginning, or a regular expression for the whole value')
export type TextMatch = z.infer<typeof textMatch>

const headerName = z
  .string()
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'must be the name of a header, in lower case')
  .refine((name) => name !== 'cookie', 'must not be "cookie": match a cookie by its own field')

export const headersMatch = z.record(headerName, textMatch).refine((headers) => {
  const count = Object.keys(headers).length
  return count > 0 && count <= 16
}, 'must hold 1 to 16 headers')

export const cookieMatch = z.strictObject({
  name: z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, 'must be the name of a cookie'),
  value: z
    .string()
    .regex(/^[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]{1,256}$/, 'must be the value of a cookie')
    .optional()
    .describe('Any value when left out'),
})

/** Can a path be what proxies match: normalized, and without its query? */
export function isPlainPath(path: string): boolean {
  return !/[?#]|\/\/|\/\.\.?(\/|$)/.test(path)
}
export const PLAIN_PATH =
  'must hold no "?", "#" or "//" and no segment "." or "..": proxies match the normalized path without its query'

const path = text.startsWith('/').refine(isPlainPath, PLAIN_PATH)

export const pathMatch = z.union([
  z.strictObject({ exact: path }),
  z.strictObject({ prefix: path }).describe('Whole segments: /a fits /a and /a/b, not /ab'),
  z.strictObject({ regex: pattern }),
])

/** Which requests are meant: all the given parts must fit. */
export const routeMatch = z
  .strictObject({ headers: headersMatch.optional(), cookie: cookieMatch.optional(), path: pathMatch.optional() })
  .refine((match) => Object.values(match).some((part) => part !== undefined), {
    message: 'must hold headers, cookie or path',
  })
  .meta({ examples: [{ headers: { 'x-preview': { exact: 'yes' } } }] })
export type RouteMatch = z.infer<typeof routeMatch>

/**
 * Meshes read regular expressions as RE2 does, and a proxy that cannot read one refuses the whole route, the way back too. So
 * only what JavaScript knows and RE2 reads alike is taken: of escapes the common ones, of groups `(…)` and `(?:…)`.
 */
function isPattern(source: string): boolean {
  try {
    new RegExp(source)
  } catch {
    return false
  }
  // Of escapes the common ones, and those of ASCII that is neither letter nor digit.
  const bare = source.replaceAll(/\\(?:[fnrtv]|x[0-9a-fA-F]{2}|[ -/:-@[-`{-~])/g, ' ').replaceAll(/\\[dDsSwW]/g, '\t')
  // Further escapes, groups of other kinds, empty classes, classes by name, ranges that end in a class.
  if (/\\|\(\?(?!:)|\[\^?\]|\[[^\]]*(?:\[:|-\t)/.test(bare)) return false
  return writtenOut(bare) <= LONGEST
}

/** RE2's bound for a count, and for counts within counts. So much of anything fits into the memory that it takes at most. */
const LONGEST = 1000

/**
 * How many characters and classes a pattern has with its counts written out, as RE2 keeps it. A class counts as many times
 * as it names something beyond ASCII.
 */
function writtenOut(bare: string): number {
  const open = [0]
  let last = 0
  const add = (size: number) => {
    last = size
    open.push((open.pop() ?? 0) + size)
  }
  for (const [part, least, most] of bare.matchAll(/\((?:\?:)?|\)|\[[^\]]*\]|\{(\d+)(?:,(\d*))?\}|./gs)) {
    if (part.startsWith('(')) open.push(0)
    else if (part === ')') add(Math.max(1, open.pop() ?? 0))
    else if (least !== undefined) add(last * (Number(most || least) - 1))
    else add(Math.max(1, part.replaceAll(/[ -~\t]/g, '').length))
  }
  return open[0] ?? 0
}
