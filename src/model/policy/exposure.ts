import * as z from 'zod'
import { dnsLabel, hostName } from '../names.ts'

/** Where a service can be reached from outside the mesh. */
export const exposureSpec = z
  .strictObject({
    gateway: dnsLabel
      .default('external')
      .describe('external or internal (of the AKS add-on), or one that the cluster names in mesh.gateways'),
    host: hostName,
    path: z
      .string()
      .regex(/^\/[\w\-.~!$&'()+,;=:@%/]{0,1023}$/, 'must be a path that begins with "/"')
      .refine(
        (path) => !/\/\/|\/\.\.?(\/|$)/.test(path),
        'must have no empty segment, "." or "..": proxies take these out',
      )
      .default('/')
      .describe('Whole segments: /a takes /a and /a/b, not /ab'),
    port: dnsLabel.optional().describe('Name of a port of the service; its first when left out'),
    tls: z
      .strictObject({ certificate: dnsLabel.describe('A registered certificate whose names cover the host') })
      .optional()
      .describe('Left out: plain HTTP on port 80'),
    redirectHttp: z.boolean().optional().describe('With tls: send plain HTTP to HTTPS'),
  })
  .refine((exposure) => !(exposure.redirectHttp && !exposure.tls), {
    path: ['redirectHttp'],
    message: 'needs tls',
  })
  .meta({ examples: [{ host: 'web.example.com', path: '/', tls: { certificate: 'web-tls' } }] })
export type ExposureSpec = z.infer<typeof exposureSpec>
