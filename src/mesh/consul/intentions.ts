import type { KubeObject } from '../../model/kube.ts'
import type { AuthorizationRule, AuthorizationSpec } from '../../model/policy/security.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { SERVICE_INTENTIONS } from './names.ts'

type Action = 'allow' | 'deny'
interface Permission {
  readonly action: Action
  readonly http: Readonly<Record<string, unknown>>
}

/** All callers that no source names. */
const ANYONE = '*'
/** Every path; `OPTIONS *` too, which begins with no slash. */
const ANY_PATH = { pathRegex: '.*' }

/** Who may call, where the policy says so; undefined: the mesh's own default. */
export function serviceIntentions(input: RenderInput): KubeObject | undefined {
  const { authorization } = input.policy.security ?? {}
  if (!authorization?.allow && !authorization?.deny?.length) return undefined
  const rules = [...(authorization.deny ?? []), ...(authorization.allow ?? [])]
  const callers = new Set(rules.flatMap(({ serviceAccounts = [] }) => serviceAccounts.map(consulName)))
  const sources = [...[...callers].sort(), ANYONE].map((name) => sourceOf(name, authorization))
  return {
    ...SERVICE_INTENTIONS,
    metadata: markedMetadata(input),
    spec: { destination: { name: input.name }, sources },
  }
}

/** A caller's name in Consul: that of its service account, without the namespace. */
export function consulName(serviceAccount: string): string {
  return serviceAccount.slice(serviceAccount.indexOf('/') + 1)
}

/**
 * A source that Consul finds by name answers for its caller alone, and the first permission that fits counts: so each source
 * holds all rules that mean it, those that deny first, and in the end what becomes of everything else.
 */
function sourceOf(name: string, { allow, deny = [] }: AuthorizationSpec): Readonly<Record<string, unknown>> {
  const rest: Action = allow ? 'deny' : 'allow'
  const all = [
    ...deny.filter((rule) => means(rule, name)).flatMap((rule) => permissionsOf(rule, 'deny')),
    ...(allow ?? []).filter((rule) => means(rule, name)).flatMap((rule) => permissionsOf(rule, 'allow')),
    { action: rest, http: ANY_PATH },
  ]
  const permissions = all.slice(0, all.findIndex(({ http }) => http === ANY_PATH) + 1)
  const [first, ...more] = permissions
  if (first && more.every(({ action }) => action === first.action)) return { name, action: first.action }
  return { name, permissions }
}

function means({ serviceAccounts }: AuthorizationRule, name: string): boolean {
  return !serviceAccounts || serviceAccounts.some((account) => consulName(account) === name)
}

function permissionsOf({ methods, paths }: AuthorizationRule, action: Action): readonly Permission[] {
  const more = methods ? { methods } : {}
  if (paths) return paths.map((path) => ({ action, http: { ...pathOf(path), ...more } }))
  return [{ action, http: methods ? more : ANY_PATH }]
}

function pathOf(path: string): Readonly<Record<string, string>> {
  return path.endsWith('*') ? { pathPrefix: path.slice(0, -1) } : { pathExact: path }
}
