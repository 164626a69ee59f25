import * as z from 'zod'
import { cookieMatch, headersMatch, pathMatch, textMatch } from '../route-match.ts'

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] as const
export type HttpMethod = (typeof HTTP_METHODS)[number]

export const methodList = z
  .array(z.enum(HTTP_METHODS))
  .min(1)
  .max(HTTP_METHODS.length)
  .refine((methods) => new Set(methods).size === methods.length, 'must not name a method twice')

/** Which requests a route of the policy takes: all the given parts must fit. */
export const requestMatch = z
  .strictObject({
    path: pathMatch.optional(),
    methods: methodList.optional().describe('One of these'),
    headers: headersMatch.optional(),
    cookie: cookieMatch.optional(),
    query: z
      .record(z.string().regex(/^[\w.~-]{1,128}$/, 'must be the name of a query parameter'), textMatch)
      .refine((query) => {
        const count = Object.keys(query).length
        return count > 0 && count <= 16
      }, 'must hold 1 to 16 parameters')
      .optional(),
  })
  .refine((match) => Object.values(match).some((part) => part !== undefined), {
    message: 'must hold path, methods, headers, cookie or query',
  })
  .meta({ examples: [{ path: { prefix: '/api' }, methods: ['GET'] }] })
export type RequestMatch = z.infer<typeof requestMatch>
