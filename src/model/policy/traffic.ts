import * as z from 'zod'
import { dnsLabel, durationBetween, hostName } from '../names.ts'
import { requestMatch } from './request-match.ts'

const percent = z.int().min(1).max(100).describe('Whole per cents')

/** Why a try may be made again. The first two are safe for every request: the server has surely not begun with it. */
export const RETRY_REASONS = [
  'connect-failure',
  'refused-stream',
  'gateway-error',
  '5xx',
  'reset',
  'grpc-unavailable',
  'grpc-cancelled',
  'grpc-deadline-exceeded',
  'grpc-resource-exhausted',
] as const
export type RetryReason = (typeof RETRY_REASONS)[number]

const retrySpec = z
  .strictObject({
    attempts: z.int().min(0).max(10).describe('Tries after the first one; 0 turns retries off'),
    perTryTimeout: durationBetween('1ms', '1h').optional(),
    on: z
      .array(z.enum(RETRY_REASONS))
      .min(1)
      .max(RETRY_REASONS.length)
      .optional()
      .describe(
        'What is tried again. Left out: connect-failure, refused-stream and gateway-error; for gRPC connect-failure, refused-stream, grpc-unavailable and grpc-cancelled',
      ),
    nonIdempotent: z
      .boolean()
      .optional()
      .describe(
        'true: POST, PATCH and CONNECT too. Else those are tried again only where the server has surely not begun (connect-failure, refused-stream)',
      ),
  })
  .meta({ examples: [{ attempts: 2, perTryTimeout: '1s' }] })
export type RetrySpec = z.infer<typeof retrySpec>

/** Errors and waits that are made on purpose, to see whether callers bear them. */
const faultSpec = z
  .strictObject({
    delay: z.strictObject({ for: durationBetween('1ms', '1h'), percent }).optional(),
    abort: z
      .strictObject({
        percent,
        status: z.int().min(400).max(599).optional(),
        grpcStatus: z.int().min(1).max(16).optional().describe('Number of a gRPC status, 14 is UNAVAILABLE'),
      })
      .refine((abort) => (abort.status === undefined) !== (abort.grpcStatus === undefined), {
        message: 'give exactly one of status and grpcStatus',
      })
      .optional(),
  })
  .refine((fault) => fault.delay !== undefined || fault.abort !== undefined, { message: 'must hold delay or abort' })
  .meta({ examples: [{ abort: { status: 503, percent: 5 } }] })
export type FaultSpec = z.infer<typeof faultSpec>

/** Copies for another version, whose answers nobody gets. */
const mirrorSpec = z
  .strictObject({ version: dnsLabel.describe('A version of this service'), percent })
  .meta({ examples: [{ version: 'v2', percent: 10 }] })
export type MirrorSpec = z.infer<typeof mirrorSpec>

const path = z
  .string()
  .regex(/^\/[\w\-.~!$&'()*+,;=:@%/]{0,1023}$/, 'must be a path that begins with "/" and holds no "?" or "#"')

const redirectSpec = z
  .strictObject({
    scheme: z.enum(['http', 'https']).optional(),
    host: hostName.optional(),
    port: z.int().min(1).max(65_535).optional(),
    path: path.optional().describe('In place of the whole path'),
    status: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]).default(302),
  })
  .refine(({ status: _, ...to }) => Object.values(to).some((part) => part !== undefined), {
    message: 'must hold scheme, host, port or path',
  })
export type RedirectSpec = z.infer<typeof redirectSpec>

const rewriteSpec = z
  .strictObject({
    path: path.optional().describe('In place of the whole path, or of the prefix where the route matches by prefix'),
    host: hostName.optional(),
  })
  .refine((rewrite) => rewrite.path !== undefined || rewrite.host !== undefined, { message: 'must hold path or host' })
export type RewriteSpec = z.infer<typeof rewriteSpec>

/** A route of the policy: some requests are handled in another way. Weights hold within it too. */
const policyRoute = z
  .strictObject({
    name: dnsLabel,
    match: z.array(requestMatch).min(1).max(8).describe('Requests that one of these fits'),
    ports: z.array(dnsLabel).min(1).max(16).optional().describe('Names of ports; all of them when left out'),
    redirect: redirectSpec.optional(),
    rewrite: rewriteSpec.optional(),
    timeout: durationBetween('1ms', '1h').optional().describe('In place of traffic.timeout'),
    retries: retrySpec.optional().describe('In place of traffic.retries'),
    fault: faultSpec.optional().describe('In place of traffic.fault'),
    mirror: mirrorSpec.optional().describe('In place of traffic.mirror'),
  })
  .superRefine((route, context) => {
    if (!route.redirect) return
    for (const part of ['rewrite', 'timeout', 'retries', 'fault', 'mirror'] as const) {
      if (route[part] !== undefined)
        context.addIssue({ code: 'custom', path: [part], message: 'means nothing on a route that redirects' })
    }
  })
export type PolicyRoute = z.infer<typeof policyRoute>

const connectionSpec = z.strictObject({
  maxConnections: z.int().min(1).max(1_000_000).optional().describe('From one proxy'),
  connectTimeout: durationBetween('1ms', '1h').optional(),
  maxPendingRequests: z.int().min(1).max(1_000_000).optional(),
  maxRequests: z.int().min(1).max(1_000_000).optional().describe('At a time, from one proxy'),
  maxRequestsPerConnection: z.int().min(1).max(1_000_000).optional(),
  idleTimeout: durationBetween('1s', '24h').optional(),
})

const outlierSpec = z.strictObject({
  consecutiveErrors: z.int().min(1).max(1000).describe('5xx answers in a row after which an endpoint is left out'),
  interval: durationBetween('1s', '1h').optional().describe('How often is looked; 10s when left out'),
  ejectionTime: durationBetween('1s', '24h').optional().describe('Times the number of ejections; 30s when left out'),
  maxEjectionPercent: percent
    .optional()
    .describe('Of the endpoints of a version; 50 when left out. Below the share of one endpoint none is ever left out'),
})

const affinitySpec = z.union([
  z.strictObject({ header: z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'must be a header, in lower case') }),
  z.strictObject({
    cookie: z.strictObject({
      name: z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, 'must be the name of a cookie'),
      ttl: durationBetween('1s', '365d').optional().describe('The proxy sets the cookie. Left out: for the session'),
      path: path.optional(),
    }),
  }),
  z.strictObject({ query: z.string().regex(/^[\w.~-]{1,128}$/, 'must be the name of a query parameter') }),
  z.strictObject({ sourceIp: z.literal(true) }),
])

const rateLimitSpec = z
  .strictObject({
    requests: z.int().min(1).max(10_000_000),
    per: z.enum(['second', 'minute', 'hour']),
    burst: z.int().min(1).max(10_000_000).optional().describe('Requests at once; as requests when left out'),
  })
  .describe('What one Pod takes on a port; the rest gets 429')

/** How requests for a service travel. Every part is off until it is asked for. */
export const trafficSpec = z
  .strictObject({
    timeout: durationBetween('1ms', '1h').optional().describe('For the whole request, retries included'),
    retries: retrySpec.optional(),
    weights: z
      .record(dnsLabel, z.int().min(0).max(100))
      .optional()
      .describe(
        'A fixed split by version, whole per cents with the sum 100. Left out: all to stable. Rollouts need it left out',
      ),
    routes: z.array(policyRoute).max(16).optional().describe('The first that matches counts'),
    fault: faultSpec.optional(),
    mirror: mirrorSpec.optional(),
    connections: connectionSpec.optional(),
    outliers: outlierSpec.optional(),
    loadBalancing: z.enum(['round-robin', 'least-request', 'random']).optional(),
    affinity: affinitySpec
      .optional()
      .describe('Requests that agree in this go to the same Pod, while Pods stay the same'),
    locality: z
      .strictObject({ prefer: z.enum(['zone', 'region']) })
      .optional()
      .describe('Own zone first; others while its endpoints are ejected. Needs outliers'),
    rateLimit: rateLimitSpec.optional(),
  })
  .superRefine((traffic, context) => {
    if (traffic.affinity && traffic.loadBalancing)
      context.addIssue({ code: 'custom', path: ['loadBalancing'], message: 'cannot stand beside affinity' })
    if (traffic.locality && !traffic.outliers)
      context.addIssue({
        code: 'custom',
        path: ['locality'],
        message: 'needs outliers: without them nothing fails over',
      })
    const names = new Set<string>()
    for (const [index, { name }] of (traffic.routes ?? []).entries()) {
      if (names.has(name))
        context.addIssue({ code: 'custom', path: ['routes', index, 'name'], message: 'stands twice' })
      names.add(name)
    }
  })
export type TrafficSpec = z.infer<typeof trafficSpec>
