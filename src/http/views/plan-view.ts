import * as z from 'zod'
import { SEVERITIES } from '../../mesh/lint/codes.ts'
import { objectRef } from './common.ts'

/** Something that was found, and the way out. */
export const findingView = z.object({
  code: z.string(),
  severity: z.enum(SEVERITIES),
  object: z.string().optional(),
  field: z.string().optional().describe('JSON pointer'),
  message: z.string(),
  fix: z.string(),
})

/** A plan as `reconcile/plan.ts` gives it: its form is already that of the API. */
export const planView = z
  .object({
    cluster: z.string(),
    changes: z.array(
      z.object({
        ref: objectRef,
        action: z.enum(['create', 'update', 'none', 'delete']),
        diff: z
          .array(z.object({ path: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }))
          .describe(
            'Of a Deployment, what may hold secrets is "(not shown)", and containers have names and images only',
          ),
      }),
    ),
    blocked: z
      .object({ reason: z.string(), message: z.string() })
      .optional()
      .describe('Why it would not be carried out now'),
    findings: z.array(
      findingView.extend({
        code: z.string().describe('See docs/lint.md'),
        field: z.string().optional().describe('JSON pointer into the service'),
      }),
    ),
  })
  .meta({ id: 'Plan' })
