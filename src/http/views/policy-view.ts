import * as z from 'zod'
import type { PolicyDocument } from '../../model/documents.ts'
import { policyGuardRails } from '../../model/policy/guard-rails.ts'
import { policySpec } from '../../model/policy/policy.ts'
import { sharedPolicySpec } from '../../model/policy/shared-policy.ts'
import { conditionView, ownedFields, READ_ONLY, time, withWarnings } from './common.ts'

const placement = z.object({ service: z.string(), cluster: z.string() })

export const policyView = z
  .object({
    name: z.string(),
    ...sharedPolicySpec.shape,
    ...ownedFields,
    observedGeneration: z.int().describe('Equals generation when every service that can carry it does'),
    conditions: z.array(conditionView).describe('Applied, GuardRailsKept'),
    reach: z
      .object({
        services: z.int().describe('That it holds for'),
        placements: z.int().describe('Of services on clusters'),
        left: z.int().describe('Placements that have yet to change'),
      })
      .optional()
      .describe('As counted last'),
    spread: z
      .object({
        wave: z.int().describe('From 1'),
        total: z.int().describe('Placements that had to change when it began'),
        released: z.array(placement).describe('The wave that is out'),
        waveAt: time,
      })
      .optional()
      .describe('While a change is on its way to services'),
    deletingAt: time.optional(),
  })
  .meta({ id: 'PolicyView' })
export type PolicyView = z.infer<typeof policyView>

export const POLICY_READ_ONLY = [...READ_ONLY, 'observedGeneration', 'conditions', 'reach', 'spread', 'deletingAt']

export function viewPolicy(document: PolicyDocument, warnings: readonly string[] = []): PolicyView {
  const { name, spec, generation, observedGeneration, spread, reach, deletingAt } = document
  const view: PolicyView = {
    name,
    ...spec,
    generation,
    observedGeneration,
    conditions: [...document.conditions],
    ...(reach ? { reach: { ...reach } } : {}),
    ...(spread ? { spread: viewSpread(spread) } : {}),
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    ...(deletingAt === undefined ? {} : { deletingAt }),
  }
  return withWarnings(view, warnings)
}

function viewSpread({ wave, total, released, waveAt }: NonNullable<PolicyDocument['spread']>) {
  return { wave, total, released: released.map(({ service, cluster }) => ({ service, cluster })), waveAt }
}

export const policyPlanView = z
  .object({
    services: z.int().describe('That the policy would hold for, or be taken from'),
    placements: z.int().describe('Of those services on clusters'),
    changed: z.int().describe('Placements whose effective policy would change'),
    changes: z
      .array(placement.extend({ fields: z.array(z.string()).describe('JSON pointers into the effective policy') }))
      .describe('1,000 at most'),
    waves: z.array(z.int()).describe('Placements a wave'),
    problems: z
      .array(placement.extend({ code: z.string(), pointer: z.string(), reason: z.string() }))
      .describe('Why a PUT would be refused'),
  })
  .meta({ id: 'PolicyPlan' })

export const effectiveView = z
  .object({
    cluster: z.string(),
    generation: z.int().describe('Of the service: whose own words hold there'),
    current: z.boolean().describe("false: a change of the service's own policy has yet to come there"),
    policy: policySpec.describe('What is asked of the mesh there'),
    origins: z
      .record(z.string(), z.string())
      .describe(
        'JSON pointer of each field: service, override 0 (its place in overrides, of that generation), policy NAME',
      ),
    policies: z
      .array(
        z.object({
          name: z.string(),
          generation: z.int(),
          current: z.boolean().describe('false: a change of the policy is on its way'),
        }),
      )
      .describe('Policies that the service carries there, the weakest first'),
    guardRails: z.array(
      z.object({
        policy: z.string(),
        rail: policyGuardRails.keyof(),
        wants: z.union([z.string(), z.boolean()]),
        kept: z.boolean(),
        reason: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'EffectivePolicy' })
