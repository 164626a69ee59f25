import * as z from 'zod'
import { clusterSelection } from '../cluster-selection.ts'
import { egressSpec } from './egress.ts'
import { exposureSpec } from './exposure.ts'
import { securitySpec } from './security.ts'
import { telemetrySpec } from './telemetry.ts'
import { trafficSpec } from './traffic.ts'

// What belongs together may be spread over the service and its override: rules between fields are for the two together.
const { weights: _, ...trafficFields } = trafficSpec.shape

/** Parts of a policy that are not whole: each field that is given replaces the one below it. */
export const partialPolicyParts = {
  traffic: z.strictObject(trafficFields).optional(),
  security: z.strictObject(securitySpec.shape).optional(),
  exposure: z.array(exposureSpec).max(16).optional(),
  egress: z.strictObject(egressSpec.shape).optional(),
  telemetry: telemetrySpec.optional(),
}

export const policyOverrides = z.array(z.strictObject({ clusters: clusterSelection, ...partialPolicyParts })).max(16)
export type PolicyOverride = z.infer<typeof policyOverrides>[number]
