import * as z from 'zod'
import { dnsLabel, hostName } from './names.ts'

const entraId = z.guid('must be an Entra object id (a UUID)')

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00')
const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be an IANA time zone, such as Europe/Berlin')
  .default('UTC')
const NOTICES = ['started', 'approval', 'harm', 'rolled-back', 'promoted', 'paused', 'glass', 'certificates'] as const

/** A team's channels. Webhook addresses are secrets: they lie in the vault, and only their names stand here. */
const chatSpec = z.strictObject({
  channel: z.string().max(200).optional().describe('Slack channel id, such as C024BE91L'),
  teamsSecret: z
    .string()
    .regex(/^[0-9a-zA-Z-]{1,127}$/)
    .optional()
    .describe('Name of the Key Vault secret that holds the address of a Teams Workflows webhook'),
  platform: z
    .boolean()
    .optional()
    .describe(
      'The channels of those who run the platform: they are also told of what belongs to no team, such as CAs of meshes and certificates that nobody registered, and in place of teams without channels of certificates',
    ),
  notices: z.array(z.enum(NOTICES)).max(NOTICES.length).optional().describe('What it is told of; all when left out'),
  quietHours: z
    .strictObject({ from: clockTime, to: clockTime, timeZone })
    .optional()
    .describe('Nothing is sent then but harm, roll backs, failures and what waits for a person; the rest comes after'),
  slackUsers: z
    .record(z.string().regex(/^[UW][A-Z0-9]{2,30}$/, 'must be a Slack user id'), entraId)
    .optional()
    .describe('Entra object ids of Slack users: without it a Slack user may only read'),
})

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
    chat: chatSpec.optional().describe('Where messages for the team go, and who its people are there'),
  })
  .meta({ id: 'Team' })

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export type Notice = (typeof NOTICES)[number]
export type TeamSpec = z.infer<typeof teamSpec>
