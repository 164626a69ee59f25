import * as z from 'zod'
import { parseTimeSpan } from './time-span.ts'

const timeSpan = z.string().transform((text, context) => {
  const durationMs = parseTimeSpan(text)
  if (durationMs === undefined) context.addIssue({ code: 'custom', message: `'${text}' is no time span (hh:mm:ss)` })
  return durationMs ?? 0
})

const logLevel = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']))

const queues = z.object({
  batchSize: z.number().int().min(1).max(32).default(16),
  newBatchThreshold: z.number().int().min(0).optional(),
  maxDequeueCount: z.number().int().min(1).default(5),
  maxPollingInterval: timeSpan.default(60_000),
  visibilityTimeout: timeSpan.default(0),
  messageEncoding: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(['none', 'base64']))
    .default('base64'),
})

// What the local host reads of host.json, with Azure's defaults. Other members are Azure's business.
const hostJson = z.object({
  version: z.literal('2.0'),
  functionTimeout: timeSpan.or(z.literal('-1').transform(() => undefined)).optional(),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: queues.prefault({}),
    })
    .prefault({}),
  logging: z.object({ logLevel: z.record(z.string(), logLevel).default({}) }).prefault({}),
})

/** Queue trigger settings; durations in milliseconds. */
export interface QueueSettings {
  readonly batchSize: number
  readonly newBatchThreshold: number
  readonly maxDequeueCount: number
  readonly maxPollingIntervalMs: number
  /** How long a message stays hidden after its handler failed. */
  readonly visibilityTimeoutMs: number
  readonly messageEncoding: 'none' | 'base64'
}

export interface HostSettings {
  /** Without slashes at its ends; empty for none. */
  readonly routePrefix: string
  readonly functionTimeoutMs: number | undefined
  readonly queues: QueueSettings
  readonly logLevels: z.infer<typeof hostJson>['logging']['logLevel']
}

/** Reads the content of a host.json. Throws an error that names each wrong member. */
export function readHostSettings(content: unknown): HostSettings {
  const read = hostJson.safeParse(content)
  if (!read.success) throw new Error(`host.json: ${z.prettifyError(read.error)}`)
  const { http, queues } = read.data.extensions
  return {
    routePrefix: http.routePrefix.replace(/^\/+|\/+$/g, ''),
    functionTimeoutMs: read.data.functionTimeout,
    queues: {
      batchSize: queues.batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(queues.batchSize / 2),
      maxDequeueCount: queues.maxDequeueCount,
      maxPollingIntervalMs: Math.max(100, queues.maxPollingInterval),
      visibilityTimeoutMs: queues.visibilityTimeout,
      messageEncoding: queues.messageEncoding,
    },
    logLevels: read.data.logging.logLevel,
  }
}
