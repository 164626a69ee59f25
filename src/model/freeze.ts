import * as z from 'zod'
import { dnsLabel, labelMap } from './names.ts'

const scope = z
  .strictObject({
    clusters: z.union([z.array(dnsLabel).max(1000), z.strictObject({ matchLabels: labelMap })]).optional(),
    namespaces: z.array(dnsLabel).max(1000).optional(),
    services: z
      .array(z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'must be NAMESPACE/NAME'))
      .max(1000)
      .optional(),
  })
  .describe('What is frozen: all the given parts must fit; a part that is left out fits everything')

/** Body of PUT /freezes/{name}: while it holds, nothing rises in its scope. Aborts and rolls back always pass. */
export const freezeSpec = z
  .strictObject({
    reason: z.string().min(1).max(500).describe('Why, as callers will read it'),
    scope: scope.default({}),
    covers: z
      .array(z.enum(['rollouts', 'configuration']))
      .min(1)
      .default(['rollouts', 'configuration'])
      .describe('rollouts: no start, no step up; configuration: no other change of a cluster object'),
    from: z.iso.datetime({ offset: true }).optional().describe('RFC 3339; from now on when left out'),
    until: z.iso.datetime({ offset: true }).optional().describe('RFC 3339; until deleted when left out'),
  })
  .meta({ id: 'Freeze' })

export type FreezeSpec = z.infer<typeof freezeSpec>
