import * as z from 'zod'
import { hostName } from '../names.ts'

/** What the Pods of a service may reach outside the mesh. */
export const egressSpec = z
  .strictObject({
    unlisted: z
      .enum(['allow', 'deny'])
      .optional()
      .describe("Hosts that are named nowhere. Left out: the mesh's own default"),
    hosts: z
      .array(
        z.strictObject({
          host: hostName,
          ports: z
            .array(
              z.strictObject({
                port: z.int().min(1).max(65_535),
                protocol: z.enum(['http', 'https', 'http2', 'grpc', 'tls', 'tcp']),
              }),
            )
            .min(1)
            .max(8),
          originateTls: z.boolean().optional().describe('Callers speak plain HTTP to it, the proxy TLS'),
        }),
      )
      .max(64)
      .optional(),
  })
  .superRefine((egress, context) => {
    const hosts = new Set<string>()
    for (const [index, { host }] of (egress.hosts ?? []).entries()) {
      if (hosts.has(host)) context.addIssue({ code: 'custom', path: ['hosts', index, 'host'], message: 'stands twice' })
      hosts.add(host)
    }
  })
export type EgressSpec = z.infer<typeof egressSpec>
