import { canonicalJson } from '../digest.ts'
import type { PolicyLayer } from './effective-policy.ts'
import type { AuthorizationRule, AuthorizationSpec } from './security.ts'

type Sourced = { readonly rule: AuthorizationRule; readonly from: string }

export interface MergedAuthorization {
  readonly authorization: AuthorizationSpec
  /** As of `EffectivePolicy`; rules to deny that are another layer's than the list have one each, `…/deny/0`. */
  readonly origins: Readonly<Record<string, string>>
}

const FIELD = '/security/authorization'

/**
 * Whom the layers allow and deny, each field by the strongest layer that says it. Rules to deny of shared policies stay
 * beside that, before the service's own: what is denied to many services is not theirs to lift. Undefined: no layer
 * says anything.
 */
export function mergeAuthorization(layers: readonly PolicyLayer[]): MergedAuthorization | undefined {
  const said = layers.filter(({ policy }) => policy.security?.authorization !== undefined)
  if (said.length === 0) return undefined
  const allowing = said.filter(({ policy }) => policy.security?.authorization?.allow !== undefined).at(-1)
  const denying = said.filter(({ policy }) => policy.security?.authorization?.deny !== undefined)
  const last = denying.at(-1)
  const own = last && !last.isShared ? denyOf(last) : []
  const shared = unlike(denying.filter(({ isShared }) => isShared).flatMap(denyOf), own)
  const deny = [...shared, ...own]
  const others = deny.flatMap(({ from }, index) => (from === last?.from ? [] : [[`${FIELD}/deny/${index}`, from]]))
  const allow = allowing?.policy.security?.authorization?.allow
  return {
    authorization: { ...(allow ? { allow } : {}), ...(last ? { deny: deny.map(({ rule }) => rule) } : {}) },
    origins: {
      ...(allowing ? { [`${FIELD}/allow`]: allowing.from } : {}),
      ...(last ? { [`${FIELD}/deny`]: last.from } : {}),
      ...Object.fromEntries(others),
    },
  }
}

function denyOf({ from, policy }: PolicyLayer): readonly Sourced[] {
  return (policy.security?.authorization?.deny ?? []).map((rule) => ({ rule, from }))
}

/** Rules without those that stand in `own` or twice, and with names that are not: `old`, `old-2`. */
function unlike(rules: readonly Sourced[], own: readonly Sourced[]): readonly Sourced[] {
  const seen = new Set(own.map(({ rule }) => canonicalJson(rule)))
  const names = new Set(own.map(({ rule }) => rule.name))
  return rules.flatMap(({ rule, from }) => {
    const content = canonicalJson(rule)
    if (seen.has(content)) return []
    seen.add(content)
    const name = freeName(rule.name, names)
    names.add(name)
    return [{ rule: { ...rule, name }, from }]
  })
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const free = count === 1 ? name : `${name.slice(0, 58)}-${count}`
    if (!taken.has(free)) return free
  }
}
