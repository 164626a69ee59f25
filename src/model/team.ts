import * as z from 'zod'
import { dnsLabel, hostName } from './names.ts'

const entraId = z.guid('must be an Entra object id (a UUID)')

/** Body of PUT /teams/{team}: which namespaces and hosts a team owns, and who belongs to it. */
export const teamSpec = z
  .strictObject({
    namespaces: z
      .array(dnsLabel)
      .min(1)
      .max(100)
      .describe('Namespaces in which the team may register and roll out services'),
    hosts: z.array(hostName).max(100).optional().describe('Host names, or *.suffixes, that its services may serve'),
    groups: z.array(entraId).max(100).describe('Entra group ids whose members belong to the team'),
    apps: z.array(entraId).max(100).optional().describe('Entra application ids (pipelines) that belong to the team'),
    chat: z
      .strictObject({ channel: z.string().max(200) })
      .optional()
      .describe('Where messages for the team go'),
  })
  .meta({ id: 'Team' })

export type TeamSpec = z.infer<typeof teamSpec>
