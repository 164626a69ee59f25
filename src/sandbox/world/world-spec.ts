import * as z from 'zod'

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label')
const labels = z.record(z.string().min(1).max(253), z.string().max(63))
const percent = z.number().min(0).max(100)
const latencyMs = z.number().positive().max(3_600_000)

/** Errors that come and go: from every multiple of `everyMs` on the clock, for `forMs`. */
const burst = z.strictObject({
  everyMs: z.number().int().min(1),
  forMs: z.number().int().min(1),
  errorPercent: percent,
})

const behaviour = {
  pods: z.number().int().min(0).max(100).describe('Ready pods; 0: requests for the version are answered 503'),
  errorPercent: percent.describe('Share of requests that fail'),
  errorCode: z
    .number()
    .int()
    .min(500)
    .max(599)
    .describe('HTTP status of a failure; a gRPC service answers 13 in place of it'),
  latencyMs: latencyMs.describe('Median duration of a request'),
  latencyP99Ms: latencyMs.describe('99th per cent of the duration'),
  silent: z.boolean().describe('Its pods cannot be scraped: up is 0, their series end'),
  burst: burst.nullable(),
}

/** How a version of a service is built and how it behaves. */
export const versionSpec = z
  .strictObject({
    labels: labels.optional().describe('Pod labels; default app and version'),
    workload: name.optional().describe('The Deployment; default SERVICE-VERSION'),
    image: z
      .string()
      .max(600)
      .optional()
      .describe('Set by the sandbox: its Deployment was written by others, with this image'),
    pods: behaviour.pods.default(2),
    errorPercent: behaviour.errorPercent.default(0),
    errorCode: behaviour.errorCode.default(500),
    latencyMs: behaviour.latencyMs.default(20),
    latencyP99Ms: behaviour.latencyP99Ms.optional().describe('Default four times the median'),
    silent: behaviour.silent.default(false),
    burst: behaviour.burst.default(null),
  })
  .describe('A version of a service')

/** What may change about a version while the world runs. */
export const versionPatch = z.strictObject(behaviour).partial()

const cookieText = z.string().regex(/^[^\s;,]*$/, 'must not hold blanks, commas or semicolons')

const requestFields = {
  path: z.string().startsWith('/').default('/'),
  headers: z.record(z.string().regex(/^[a-z0-9-]+$/, 'must be in lower case'), z.string()).default({}),
  cookies: z.record(z.string(), cookieText).default({}),
}

/** One request, as far as routes look at it. */
export const requestSpec = z.strictObject(requestFields)
export type RequestSpec = z.infer<typeof requestSpec>

/** Where requests come from: a workload of the cluster, or of no mesh. */
export const callerSpec = z.strictObject({
  workload: name,
  namespace: name,
  share: z.number().positive().default(1).describe('Part of the demand, relative to the other callers'),
  meshed: z
    .boolean()
    .default(true)
    .describe('false: its requests follow no route and are seen by the destination only'),
  requests: z
    .array(z.strictObject({ ...requestFields, percent: percent.describe('Part of its requests') }))
    .max(10)
    .refine((kinds) => kinds.reduce((sum, kind) => sum + kind.percent, 0) <= 100, 'must have a sum of 100 at most')
    .optional()
    .describe('Kinds of requests; the rest is GET / without headers'),
  clients: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('So many clients, each of which keeps the cookie that an answer sets; none does when left out'),
})

/** Who wants how much of a service. */
export const demandSpec = z.strictObject({
  requestsPerSecond: z.number().min(0).max(100_000),
  callers: z
    .array(callerSpec)
    .min(1)
    .max(20)
    .default([{ workload: 'istio-ingressgateway', namespace: 'istio-system', share: 1, meshed: true }]),
})

export const serviceSpec = z.strictObject({
  port: z.number().int().min(1).max(65_535).default(80),
  protocol: z.enum(['http', 'grpc']).default('http'),
  versions: z.record(name, versionSpec),
  demand: demandSpec.prefault({ requestsPerSecond: 0 }),
})

const clusterFields = {
  reachable: z.boolean().describe('false: its Kubernetes API does not answer'),
  answerMs: z.number().int().min(0).max(60_000).describe('How long its Kubernetes API takes for every answer'),
  metrics: z
    .enum(['up', 'late', 'down', 'unavailable'])
    .describe(
      'late: samples show after metricsDelayMs; down: no pod can be scraped; unavailable: Prometheus answers 503',
    ),
  metricsDelayMs: z.number().int().min(0).max(3_600_000),
}

export const clusterSpec = z.strictObject({
  reachable: clusterFields.reachable.default(true),
  answerMs: clusterFields.answerMs.optional(),
  metrics: clusterFields.metrics.default('up'),
  metricsDelayMs: clusterFields.metricsDelayMs.default(60_000),
})

export const clusterPatch = z.strictObject(clusterFields).partial()

export type VersionSpec = z.infer<typeof versionSpec>
export type DemandSpec = z.infer<typeof demandSpec>
export type Caller = DemandSpec['callers'][number]
export type ServiceSpec = z.infer<typeof serviceSpec>
export type ClusterSpec = z.infer<typeof clusterSpec>

/** Names one service of one cluster. */
export interface ServiceRef {
  readonly cluster: string
  readonly namespace: string
  readonly service: string
}

/** A pod of the world. A pod that is listed is ready. */
export interface WorldPod {
  readonly name: string
  readonly namespace: string
  readonly service: string
  readonly version: string
  readonly workload: string
  readonly labels: Readonly<Record<string, string>>
  readonly ip: string
}
