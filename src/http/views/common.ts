import * as z from 'zod'

/** RFC 3339 in UTC. */
export const time = z.iso.datetime().meta({ examples: ['2026-01-31T12:00:00.000Z'] })

export const conditionView = z
  .object({
    type: z.string(),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string().describe('CamelCase, for machines'),
    message: z.string().describe('For people'),
    lastTransitionTime: time.describe('Moves only when the status does'),
    observedGeneration: z.int().optional(),
  })
  .meta({ id: 'Condition' })

export const actorView = z
  .object({
    kind: z.enum(['person', 'application', 'alert', 'schedule', 'gate', 'meshwright']),
    id: z.string(),
    name: z.string(),
  })
  .meta({ id: 'Actor' })

export const countsView = z.object({ good: z.int(), bad: z.int() }).meta({ id: 'Counts' })

/** A Kubernetes object by name. */
export const objectRef = z
  .object({ apiVersion: z.string(), kind: z.string(), namespace: z.string().optional(), name: z.string() })
  .meta({ id: 'ObjectRef' })

/** Fields of every resource that users own; GET shows them, PUT drops them. */
export const READ_ONLY = ['namespace', 'name', 'generation', 'createdAt', 'updatedAt', 'warnings'] as const

export const ownedFields = {
  generation: z.int().describe('Raised by every change of what users own'),
  createdAt: time,
  updatedAt: time,
  warnings: z.array(z.string()).optional().describe('What the caller of this write should know'),
}

/** `warnings` only where there are some. */
export function withWarnings<T extends object>(view: T, warnings: readonly string[]): T & { warnings?: string[] } {
  return warnings.length > 0 ? { ...view, warnings: [...warnings] } : view
}
