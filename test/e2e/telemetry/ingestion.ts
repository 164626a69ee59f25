import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { type Emulator, type EmulatorRequest, jsonResponse } from '../../../src/sandbox/emulators/emulator.ts'

/** What Application Insights keeps of one item, by the published schema of its envelopes. */
const envelope = z.object({
  name: z.string(),
  time: z.iso.datetime(),
  iKey: z.string(),
  tags: z.record(z.string(), z.string()),
  data: z.object({
    baseType: z.enum(['RequestData', 'RemoteDependencyData', 'MessageData', 'MetricData']),
    baseData: z.looseObject({
      name: z.string().optional(),
      message: z.string().optional(),
      responseCode: z.string().optional(),
      severityLevel: z.string().optional(),
      properties: z.record(z.string(), z.string()).optional(),
      metrics: z.array(z.object({ name: z.string(), value: z.number(), count: z.number().optional() })).optional(),
    }),
  }),
})
export type Envelope = z.infer<typeof envelope>

export interface Ingestion {
  readonly handle: Emulator
  readonly items: readonly Envelope[]
  /** Everything that came, as text, headers left out. */
  text(): string
  /** Requests that were refused: 401 without the token. */
  readonly refused: readonly number[]
  fail(status: number | undefined): void
}

/**
 * The ingestion endpoint of Application Insights: `POST /v2.1/track` with an array of envelopes as JSON, or one a line, plain
 * or by gzip. With `token` it takes nothing else, as a resource whose local authentication is off.
 * https://github.com/Azure/azure-rest-api-specs: applicationinsights, data-plane, Monitor.Exporters
 */
export function ingestion({ iKey, host, token }: { iKey: string; host: string; token?: string }): Ingestion {
  const items: Envelope[] = []
  const bodies: string[] = []
  const refused: number[] = []
  let failing: number | undefined
  const answer = (status: number, received: number, accepted: number) =>
    jsonResponse(status, { itemsReceived: received, itemsAccepted: accepted, errors: [] })
  const refuse = (status: number, received = 0) => {
    refused.push(status)
    return answer(status, received, 0)
  }
  return {
    items,
    refused,
    text: () => bodies.join('\n'),
    fail(status) {
      failing = status
    },
    async handle(request) {
      if (failing !== undefined) return refuse(failing)
      if (request.url.host !== host || request.url.pathname !== '/v2.1/track') return refuse(404)
      if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return refuse(401)
      const text = textOf(request)
      const sent = itemsOf(text)
      const parsed = z.array(envelope).safeParse(sent)
      if (!parsed.success || parsed.data.some((item) => item.iKey !== iKey)) return refuse(400, sent.length)
      bodies.push(text)
      items.push(...parsed.data)
      return answer(200, sent.length, sent.length)
    },
  }
}

function textOf({ headers, body }: EmulatorRequest): string {
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : new TextDecoder().decode(body)
}

function itemsOf(text: string): unknown[] {
  if (text.startsWith('[')) return JSON.parse(text) as unknown[]
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
