import * as z from 'zod'
import { labelMap } from '../names.ts'
import { egressSpec } from './egress.ts'
import { exposureSpec } from './exposure.ts'
import { securitySpec } from './security.ts'
import { telemetrySpec } from './telemetry.ts'
import { trafficSpec } from './traffic.ts'

/** The Pods of a service, whatever their version: rules for what they take and send are bound by these. */
export const workloadSpec = z.strictObject({
  labels: labelMap
    .refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label')
    .describe("Labels of every Pod, as in the Kubernetes Service's selector"),
})

/** The parts of a policy. Those that are left out are the mesh's own affair. */
export const policyParts = {
  traffic: trafficSpec.optional(),
  security: securitySpec.optional(),
  exposure: z.array(exposureSpec).max(16).optional(),
  egress: egressSpec.optional(),
  telemetry: telemetrySpec.optional(),
}

export const policySpec = z.strictObject(policyParts)
/** What is asked of a mesh for a service, in neutral words. */
export type Policy = z.infer<typeof policySpec>

export const POLICY_PARTS = [
  'traffic',
  'security',
  'exposure',
  'egress',
  'telemetry',
] as const satisfies readonly (keyof Policy)[]
