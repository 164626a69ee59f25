import * as z from 'zod'
import { dnsLabel } from '../names.ts'
import { isPlainPath, PLAIN_PATH } from '../route-match.ts'
import { methodList } from './request-match.ts'

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`

/** `shop/web`: namespace and name of a service account. */
const serviceAccount = z
  .string()
  .max(317)
  .regex(new RegExp(`^${LABEL}/${SUBDOMAIN}$`), 'must be NAMESPACE/NAME of a service account')

const guid = z.guid('must be a GUID')

/** How strictly callers must come by mutual TLS. */
export const MTLS_MODES = ['strict', 'permissive', 'disabled'] as const
export type MtlsMode = (typeof MTLS_MODES)[number]

const pathPattern = z
  .string()
  .max(1024)
  .regex(/^\/[^*\s]*\*?$/, 'must be a path that begins with "/"; a "*" at its end takes whatever follows')
  .refine(isPlainPath, PLAIN_PATH)

const claimName = z.string().regex(/^[\w.:/-]{1,128}$/, 'must be the name of a claim')

const claimValue = z
  .string()
  .min(1)
  .max(256)
  .refine((value) => !/^\*|\*$/.test(value), 'must not begin or end with "*": meshes would read a pattern')

/** Requests that an authorization rule means: all the given parts must fit, and of each list one. */
export const authorizationRule = z
  .strictObject({
    name: dnsLabel,
    serviceAccounts: z.array(serviceAccount).min(1).max(16).optional(),
    namespaces: z.array(dnsLabel).min(1).max(64).optional().describe('Where callers are'),
    claims: z
      .record(claimName, z.array(claimValue).min(1).max(64))
      .refine((claims) => {
        const count = Object.keys(claims).length
        return count > 0 && count <= 8
      }, 'must hold 1 to 8 claims')
      .optional()
      .describe('Of a token of the issuers; each with the values that fit. Needs authentication'),
    methods: methodList.optional(),
    paths: z.array(pathPattern).min(1).max(64).optional(),
    ports: z.array(dnsLabel).min(1).max(16).optional().describe('Names of ports of the service'),
  })
  .superRefine(({ serviceAccounts, namespaces }, context) => {
    if (serviceAccounts && namespaces)
      context.addIssue({
        code: 'custom',
        path: ['namespaces'],
        message: 'cannot stand beside serviceAccounts: make two rules of it',
      })
  })
export type AuthorizationRule = z.infer<typeof authorizationRule>

const authorizationSpec = z
  .strictObject({
    allow: z
      .array(authorizationRule)
      .max(64)
      .optional()
      .describe('Only these requests are let in; [] lets nobody in. Left out: all that no rule denies'),
    deny: z.array(authorizationRule).max(64).optional().describe('Refused, whatever allow says'),
  })
  .superRefine((spec, context) => {
    for (const list of ['allow', 'deny'] as const) {
      const names = new Set<string>()
      for (const [index, rule] of (spec[list] ?? []).entries()) {
        if (names.has(rule.name))
          context.addIssue({ code: 'custom', path: [list, index, 'name'], message: 'stands twice' })
        names.add(rule.name)
      }
    }
  })
export type AuthorizationSpec = z.infer<typeof authorizationSpec>

const audiences = z.array(z.string().min(1).max(512)).min(1).max(16)
const forwardToken = z.boolean().optional().describe('Give the token to the service too')

/** Whose tokens are taken. */
const tokenIssuer = z.union([
  z
    .strictObject({
      entra: z.strictObject({
        tenant: guid.describe('Tenant id, never "common"'),
        audiences: audiences.describe(
          "The API's client id, a GUID: tokens of version 2.0 never name an api:// address",
        ),
        forwardToken,
      }),
    })
    .describe('Tokens of a tenant of Microsoft Entra ID, version 2.0'),
  z.strictObject({
    issuer: z
      .string()
      .min(1)
      .max(512)
      .regex(/^[^*]*$/, 'must hold no "*": meshes would read a pattern'),
    jwksUri: z
      .url({ protocol: /^https$/, hostname: z.regexes.domain })
      .max(1024)
      .describe('https, a public host name'),
    audiences,
    forwardToken,
  }),
])
export type TokenIssuer = z.infer<typeof tokenIssuer>

const authenticationSpec = z.strictObject({
  issuers: z.array(tokenIssuer).min(1).max(8),
  required: z.boolean().default(true).describe('false: requests without a token pass; those with a bad one never do'),
})
export type AuthenticationSpec = z.infer<typeof authenticationSpec>

/** Who may call a service. Every part is off until it is asked for: then the mesh's own default counts. */
export const securitySpec = z
  .strictObject({
    mtls: z.enum(MTLS_MODES).optional(),
    authentication: authenticationSpec.optional().describe('Tokens of people and programs, as JWT'),
    authorization: authorizationSpec.optional(),
  })
  .superRefine(({ mtls, authentication, authorization }, context) => {
    for (const list of ['allow', 'deny'] as const) {
      for (const [index, rule] of (authorization?.[list] ?? []).entries()) {
        const path = ['authorization', list, index]
        if (rule.claims && !authentication)
          context.addIssue({ code: 'custom', path: [...path, 'claims'], message: 'needs authentication' })
        if (mtls === 'disabled' && (rule.serviceAccounts || rule.namespaces))
          context.addIssue({
            code: 'custom',
            path: [...path, rule.serviceAccounts ? 'serviceAccounts' : 'namespaces'],
            message: 'needs mutual TLS: without it nobody knows who calls',
          })
      }
    }
  })
export type SecuritySpec = z.infer<typeof securitySpec>
