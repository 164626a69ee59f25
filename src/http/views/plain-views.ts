import * as z from 'zod'
import type { FreezeDocument, StrategyDocument, TeamDocument } from '../../model/documents.ts'
import { freezeSpec } from '../../model/freeze.ts'
import { strategySpec } from '../../model/strategy.ts'
import { teamSpec } from '../../model/team.ts'
import { ownedFields, time } from './common.ts'

export const teamView = z.object({ name: z.string(), ...teamSpec.shape, ...ownedFields }).meta({ id: 'TeamView' })
export const freezeView = z.object({ name: z.string(), ...freezeSpec.shape, ...ownedFields }).meta({ id: 'FreezeView' })
export const strategyView = z
  .object({
    name: z.string(),
    ...strategySpec.shape,
    ...ownedFields,
    createdAt: time.optional(),
    updatedAt: time.optional(),
    builtIn: z.boolean().optional().describe('Nobody has stored one of this name'),
  })
  .meta({ id: 'StrategyView' })

/** A plain document as the API shows it: what users own, flat, and what follows from it. */
export function viewPlain(document: TeamDocument | FreezeDocument | StrategyDocument) {
  const { name, spec, generation, createdAt, updatedAt } = document
  return { name, ...spec, generation, createdAt, updatedAt }
}
