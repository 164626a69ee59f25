import * as z from 'zod'

/** What the proxies of a service tell. */
export const telemetrySpec = z.strictObject({
  accessLog: z.enum(['off', 'errors', 'all']).optional().describe('errors: answers from 400 on'),
  tracing: z
    .strictObject({ samplePercent: z.number().min(0).max(100) })
    .optional()
    .describe("To the mesh's own tracing provider"),
})
export type TelemetrySpec = z.infer<typeof telemetrySpec>
