import * as z from 'zod'
import { clusterSelection } from '../cluster-selection.ts'
import { dnsLabel } from '../names.ts'
import { waivers } from '../waiver.ts'
import { policyGuardRails } from './guard-rails.ts'
import { partialPolicyParts } from './overrides.ts'
import { POLICY_PARTS } from './policy.ts'
import { trafficSpec } from './traffic.ts'
import { wavesSpec } from './waves-spec.ts'

// Versions, ports, routes and exposures belong to one service: what is shared cannot name them.
const { weights: _w, mirror: _m, routes: _r, ...trafficFields } = trafficSpec.shape
const { exposure: _e, traffic: _t, security, ...parts } = partialPolicyParts

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const serviceName = z.string().regex(new RegExp(`^${LABEL}/${LABEL}$`), 'must be NAMESPACE/NAME of a service')

const appliesTo = z.union([
  z.literal('all'),
  z.strictObject({ team: dnsLabel }),
  z.strictObject({ namespaces: z.array(dnsLabel).min(1).max(100) }),
])

/** Body of PUT /policies/{name}. */
export const sharedPolicySpec = z
  .strictObject({
    appliesTo: appliesTo.describe('Stronger where narrower: namespaces over a team over all, then by name'),
    except: z.array(serviceName).max(100).optional().describe('Services that it does not hold for'),
    clusters: clusterSelection.optional().describe('Names, or labels that choose; all clusters when left out'),
    traffic: z.strictObject(trafficFields).optional(),
    security,
    ...parts,
    guardRails: policyGuardRails.optional().describe('What services must keep'),
    waves: wavesSpec.optional(),
    waive: waivers,
  })
  .superRefine((spec, context) => {
    if (spec.guardRails === undefined && POLICY_PARTS.every((part) => partOf(spec, part) === undefined))
      context.addIssue({ code: 'custom', path: [], message: 'must hold a part of a policy or guardRails' })
    for (const list of ['allow', 'deny'] as const) {
      for (const [index, rule] of (spec.security?.authorization?.[list] ?? []).entries()) {
        if (!rule.ports) continue
        const path = ['security', 'authorization', list, index, 'ports']
        context.addIssue({ code: 'custom', path, message: 'are names of one service: say it there' })
      }
    }
  })
  .meta({ id: 'Policy' })
export type SharedPolicySpec = z.infer<typeof sharedPolicySpec>

/** The parts that lie beneath a service's own words. */
export type SharedParts = Pick<SharedPolicySpec, 'traffic' | 'security' | 'egress' | 'telemetry'>

export function sharedParts({ traffic, security, egress, telemetry }: SharedPolicySpec): SharedParts {
  return {
    ...(traffic === undefined ? {} : { traffic }),
    ...(security === undefined ? {} : { security }),
    ...(egress === undefined ? {} : { egress }),
    ...(telemetry === undefined ? {} : { telemetry }),
  }
}

function partOf(spec: SharedParts, part: (typeof POLICY_PARTS)[number]): unknown {
  return part === 'exposure' ? undefined : spec[part]
}
