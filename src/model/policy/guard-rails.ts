import * as z from 'zod'
import { durationBetween, durationMs } from '../names.ts'
import type { Policy } from './policy.ts'

/** What a policy asks of every service that it holds for, whatever the service says itself. */
export const policyGuardRails = z
  .strictObject({
    mtls: z.enum(['strict', 'permissive']).optional().describe('security.mtls must be said, and not be weaker'),
    authorization: z
      .literal('required')
      .optional()
      .describe('security.authorization.allow must be there, and each of its rules say who calls'),
    authentication: z.literal('required').optional().describe('Tokens must be asked of every request'),
    egress: z.literal('deny').optional().describe('egress.unlisted must be deny'),
    maxTimeout: durationBetween('1ms', '1h')
      .optional()
      .describe('traffic.timeout, and that of each route, must be said and not be longer'),
    noFaults: z.literal(true).optional().describe('No faults are made on purpose'),
    tlsExposure: z.literal(true).optional().describe('Each exposure has tls'),
  })
  .refine((rails) => Object.values(rails).some((rail) => rail !== undefined), 'must hold at least one guard rail')
export type PolicyGuardRails = z.infer<typeof policyGuardRails>
export type GuardRailName = keyof PolicyGuardRails

/** A guard rail that an effective policy does not keep. */
export interface BrokenRail {
  readonly rail: GuardRailName
  /** JSON pointer into the policy: the field that breaks it. */
  readonly pointer: string
  /** `must be strict, and is permissive`. */
  readonly reason: string
}

const MTLS_STRENGTH = { disabled: 0, permissive: 1, strict: 2 } as const

type Check = (policy: Policy, rails: PolicyGuardRails) => readonly Omit<BrokenRail, 'rail'>[]

const CHECKS: Readonly<Record<GuardRailName, Check>> = {
  mtls({ security }, { mtls }) {
    if (mtls === undefined) return []
    const is = security?.mtls
    if (is !== undefined && MTLS_STRENGTH[is] >= MTLS_STRENGTH[mtls]) return []
    const least = mtls === 'strict' ? 'must be strict' : 'must be permissive or strict'
    return [{ pointer: '/security/mtls', reason: `${least}, and is ${is ?? 'not said'}` }]
  },
  authorization({ security }) {
    const allow = security?.authorization?.allow
    if (!allow) return [{ pointer: '/security/authorization/allow', reason: 'must say whom it allows' }]
    return allow.flatMap((rule, index) => {
      const isForSome = rule.serviceAccounts ?? rule.namespaces ?? Object.keys(rule.claims ?? {})[0]
      if (isForSome !== undefined) return []
      const reason = 'must say who calls: serviceAccounts, namespaces or claims'
      return [{ pointer: `/security/authorization/allow/${index}`, reason }]
    })
  },
  authentication({ security }) {
    const authentication = security?.authentication
    if (authentication?.required) return []
    const reason = authentication ? 'must be required' : 'must be there'
    return [{ pointer: '/security/authentication', reason }]
  },
  egress({ egress }) {
    if (egress?.unlisted === 'deny') return []
    return [{ pointer: '/egress/unlisted', reason: `must be deny, and is ${egress?.unlisted ?? 'not said'}` }]
  },
  maxTimeout({ traffic }, { maxTimeout = '1h' }) {
    const most = durationMs(maxTimeout)
    const routes = (traffic?.routes ?? []).flatMap(({ timeout }, index) =>
      timeout === undefined || durationMs(timeout) <= most
        ? []
        : [{ pointer: `/traffic/routes/${index}/timeout`, reason: `must be ${maxTimeout} at most, and is ${timeout}` }],
    )
    const timeout = traffic?.timeout
    if (timeout !== undefined && durationMs(timeout) <= most) return routes
    const reason = `must be ${maxTimeout} at most, and is ${timeout ?? 'not said'}`
    return [{ pointer: '/traffic/timeout', reason }, ...routes]
  },
  noFaults({ traffic }) {
    const reason = 'must be left out'
    const routes = (traffic?.routes ?? []).flatMap(({ fault }, index) =>
      fault ? [{ pointer: `/traffic/routes/${index}/fault`, reason }] : [],
    )
    return traffic?.fault ? [{ pointer: '/traffic/fault', reason }, ...routes] : routes
  },
  tlsExposure({ exposure }) {
    return (exposure ?? []).flatMap(({ tls }, index) =>
      tls ? [] : [{ pointer: `/exposure/${index}/tls`, reason: 'must name a certificate' }],
    )
  },
}

/** The guard rails that a policy does not keep, in a fixed order. */
export function brokenRails(policy: Policy, rails: PolicyGuardRails): readonly BrokenRail[] {
  return (Object.keys(CHECKS) as GuardRailName[])
    .filter((rail) => rails[rail] !== undefined)
    .flatMap((rail) => CHECKS[rail](policy, rails).map((broken) => ({ rail, ...broken })))
}
