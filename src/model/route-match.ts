import * as z from 'zod'

const text = z.string().min(1).max(1024)
const pattern = z
  .string()
  .min(1)
  .max(256)
  .refine(isPattern, 'must be a regular expression (RE2: no look-around, no back references)')

const textMatch = z
  .union([z.strictObject({ exact: text }), z.strictObject({ prefix: text }), z.strictObject({ regex: pattern })])
  .describe('The whole value, its beginning, or a regular expression for the whole value')
export type TextMatch = z.infer<typeof textMatch>

const headerName = z
  .string()
  .regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'must be the name of a header, in lower case')
  .refine((name) => name !== 'cookie', 'must not be "cookie": match a cookie by its own field')

/** Which requests are meant: all the given parts must fit. */
export const routeMatch = z
  .strictObject({
    headers: z
      .record(headerName, textMatch)
      .refine((headers) => {
        const count = Object.keys(headers).length
        return count > 0 && count <= 16
      }, 'must hold 1 to 16 headers')
      .optional(),
    cookie: z
      .strictObject({
        name: z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, 'must be the name of a cookie'),
        value: z
          .string()
          .regex(/^[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]{1,256}$/, 'must be the value of a cookie')
          .optional()
          .describe('Any value when left out'),
      })
      .optional(),
    path: z
      .union([
        z.strictObject({ exact: text.startsWith('/') }),
        z.strictObject({ prefix: text.startsWith('/') }).describe('Whole segments: /a fits /a and /a/b, not /ab'),
        z.strictObject({ regex: pattern }),
      ])
      .optional(),
  })
  .refine((match) => Object.values(match).some((part) => part !== undefined), {
    message: 'must hold headers, cookie or path',
  })
  .meta({ examples: [{ headers: { 'x-preview': { exact: 'yes' } } }] })
export type RouteMatch = z.infer<typeof routeMatch>

/** Meshes read regular expressions as RE2 does; JavaScript's look-around and back references would be refused there. */
function isPattern(source: string): boolean {
  if (/\(\?[=!<]|\\[1-9]|\\k</.test(source)) return false
  try {
    new RegExp(source)
    return true
  } catch {
    return false
  }
}
