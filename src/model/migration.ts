import * as z from 'zod'
import { dnsLabel } from './names.ts'

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const objectKey = z
  .string()
  .max(317)
  .regex(new RegExp(`^${LABEL}/[a-z0-9][-a-z0-9.]{0,252}$`), 'must be NAMESPACE/NAME')
const time = z.iso.datetime()

const replacement = z.strictObject({
  routeGroup: objectKey.describe('An HTTPRouteGroup: NAMESPACE/NAME'),
  match: z.string().min(1).max(253).describe('Name of a match in it'),
  paths: z
    .array(z.string().min(1).max(1024))
    .min(1)
    .max(64)
    .optional()
    .describe('What callers use of its pathRegex, as rules name paths: whole ones, or a beginning with "*" at the end'),
  withoutHeaders: z.literal(true).optional().describe('Ask for no headers: who calls, methods and paths are enough'),
})

/** Body of POST /clusters/{cluster}/migrations/osm. */
export const osmMigrationRequest = z
  .strictObject({
    target: dnsLabel.optional().describe('A registered cluster with Istio, to which the workloads move'),
    inPlace: z
      .strictObject({
        window: z
          .strictObject({ from: time, until: time })
          .refine(({ from, until }) => Date.parse(from) < Date.parse(until), {
            path: ['until'],
            message: 'must be after from',
          })
          .describe('When calls may fail: the only time in which the cluster is switched to Istio'),
      })
      .optional()
      .describe('The same cluster changes its mesh'),
    team: dnsLabel.optional().describe('Who owns the services. Left out: the one team that owns their namespace'),
    replace: z.array(replacement).max(200).default([]).describe('What to say of matches that rules have no words for'),
    overwrite: z.array(objectKey).max(1000).default([]).describe('Registered services that may be replaced'),
    accept: z
      .array(z.string().regex(/^[A-Z][A-Za-z]{1,63}$/, 'must be the code of a finding'))
      .max(50)
      .default([])
      .describe('Codes of findings of severity error that do not hold the migration up'),
    apply: z.literal(true).optional().describe('Carry it out. Left out: a plan, which changes nothing'),
    digest: z.string().max(64).optional().describe('With apply: of the plan that was looked at'),
  })
  .superRefine(({ target, inPlace, apply, digest }, context) => {
    if ((target === undefined) === (inPlace === undefined))
      context.addIssue({ code: 'custom', path: ['target'], message: 'give exactly one of target and inPlace' })
    if ((apply === undefined) !== (digest === undefined))
      context.addIssue({ code: 'custom', path: ['digest'], message: 'goes with apply, and apply with it' })
  })
  .meta({ id: 'OsmMigrationRequest' })
export type OsmMigrationRequest = z.infer<typeof osmMigrationRequest>

/** On services that wait for a cluster to change its mesh in place, and then on that cluster. */
export const MIGRATED_FROM = 'meshwright.io/migrated-from'
