import type { ServiceSpec } from '../service.ts'
import { mergeAuthorization } from './merge-authorization.ts'
import type { PolicyOverride } from './overrides.ts'
import { POLICY_PARTS, type Policy } from './policy.ts'

/** Policies, the weakest first, each with the words that name where it comes from. */
export interface PolicyLayer {
  /** `service`, `override 0`, `policy team-shop`. */
  readonly from: string
  /** Of a shared policy: its rules to deny stay, whatever stronger layers say. */
  readonly isShared?: true
  readonly policy: Partial<Pick<PolicyOverride, (typeof POLICY_PARTS)[number]>>
}

export interface EffectivePolicy {
  readonly policy: Policy
  /** JSON pointer of each field, `/traffic/timeout`, `/exposure`: the layer that it comes from. */
  readonly origins: Readonly<Record<string, string>>
}

/**
 * Lays policies over one another, field by field: `traffic.retries` of a stronger layer replaces all of the weaker one's,
 * and leaves its `traffic.timeout`. A list of exposures is one field; whom authorization allows and denies are two.
 */
export function mergePolicies(layers: readonly PolicyLayer[]): EffectivePolicy {
  const policy: Record<string, unknown> = {}
  const origins: Record<string, string> = {}
  for (const { from, policy: layer } of layers) {
    for (const part of POLICY_PARTS) {
      const value = layer[part]
      if (value === undefined) continue
      if (Array.isArray(value)) {
        policy[part] = value
        origins[`/${part}`] = from
        continue
      }
      const given = Object.entries(value).filter(([, field]) => field !== undefined)
      policy[part] = { ...(policy[part] as object | undefined), ...Object.fromEntries(given) }
      for (const [field] of given) origins[`/${part}/${field}`] = from
    }
  }
  const merged = mergeAuthorization(layers)
  if (!merged) return { policy: policy as Policy, origins }
  policy.security = { ...(policy.security as object), authorization: merged.authorization }
  delete origins['/security/authorization']
  return { policy: policy as Policy, origins: { ...origins, ...merged.origins } }
}

/** A service's own parts, and over them the overrides of these indexes, in order. */
export function ownLayers(spec: ServiceSpec, overrides: readonly number[]): readonly PolicyLayer[] {
  const over = overrides.flatMap((index): PolicyLayer[] => {
    const policy = spec.overrides?.[index]
    return policy ? [{ from: `override ${index}`, policy }] : []
  })
  return [{ from: 'service', policy: spec }, ...over]
}

/** A service's own parts over `beneath`, and over them the overrides of these indexes, in order. */
export function effectivePolicy(
  spec: ServiceSpec,
  overrides: readonly number[],
  beneath: readonly PolicyLayer[] = [],
): EffectivePolicy {
  return mergePolicies([...beneath, ...ownLayers(spec, overrides)])
}
