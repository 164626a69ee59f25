import type { AuthorizationRule } from '../../model/policy/security.ts'
import { type Finding, finding } from './finding.ts'
import { type Desired, pointerOf, type Seen, sourceOf } from './subject.ts'

const FIELD = '/security/authorization'

/** Are the callers there whom rules name, and can they be told? */
export function checkCallers(desired: Desired, seen: Seen): readonly Finding[] {
  const { authorization } = desired.policy.policy.security ?? {}
  const rules = (['allow', 'deny'] as const).flatMap((list) =>
    (authorization?.[list] ?? []).flatMap((rule, index) => {
      const place = placeOf(desired, list, index)
      return [...checkMtls(desired, list, rule, place), ...checkNames(desired, seen, rule, place)]
    }),
  )
  return [...rules, ...checkVersionAccounts(desired, seen)]
}

/** Where a rule stands: a field of `origins`, and the rest of its pointer in the body of the layer that says it. */
interface Place {
  readonly field: string
  readonly at: string
}

/** Rules to deny of other layers have an origin each, and stand before the list's own. */
function placeOf({ policy }: Pick<Desired, 'policy'>, list: 'allow' | 'deny', index: number): Place {
  const field = `${FIELD}/${list}`
  if (policy.origins[`${field}/${index}`] !== undefined) return { field: `${field}/${index}`, at: '' }
  const others = Object.keys(policy.origins).filter((origin) => origin.startsWith(`${field}/`)).length
  return { field, at: `/${index - others}` }
}

/** Nothing is told where `mtls` is left out: the mesh's own default is not looked at. */
function checkMtls(
  desired: Desired,
  list: 'allow' | 'deny',
  rule: AuthorizationRule,
  { field, at }: Place,
): readonly Finding[] {
  const { mtls } = desired.policy.policy.security ?? {}
  const part = rule.serviceAccounts ? 'serviceAccounts' : rule.namespaces ? 'namespaces' : undefined
  if (part === undefined || mtls === undefined || mtls === 'strict') return []
  const effect = list === 'allow' ? 'callers without mutual TLS fit it never' : 'callers without mutual TLS pass it by'
  const message = `Rule ${rule.name} asks who calls, and mtls is ${mtls}: ${effect}${sourceOf(desired, field)}.`
  return [finding('CallerNeedsMtls', message, { field: pointerOf(desired, field, `${at}/${part}`) })]
}

function checkNames(
  desired: Desired,
  seen: Seen,
  rule: AuthorizationRule,
  { field: list, at }: Place,
): readonly Finding[] {
  const from = sourceOf(desired, list)
  const lacksNamespace = (namespace: string, rest: string): Finding | undefined => {
    if (seen.namespaces?.includes(namespace) !== false) return undefined
    const message = `Rule ${rule.name} names namespace ${namespace}, which is not on the cluster${from}.`
    const field = pointerOf(desired, list, `${at}${rest}`)
    return finding('CallerNamespaceMissing', message, { object: `Namespace ${namespace}`, field })
  }
  const namespaces = (rule.namespaces ?? []).flatMap(
    (namespace, index) => lacksNamespace(namespace, `/namespaces/${index}`) ?? [],
  )
  const accounts = (rule.serviceAccounts ?? []).flatMap((account, index): readonly Finding[] => {
    const rest = `/serviceAccounts/${index}`
    const absent = lacksNamespace(account.split('/')[0] ?? '', rest)
    if (absent) return [absent]
    if (seen.serviceAccounts?.includes(account) !== false) return []
    const message = `Rule ${rule.name} names service account ${account}, which is not on the cluster${from}.`
    const field = pointerOf(desired, list, `${at}${rest}`)
    return [finding('ServiceAccountMissing', message, { object: `ServiceAccount ${account}`, field })]
  })
  return [...namespaces, ...accounts]
}

function checkVersionAccounts({ namespace, spec }: Desired, { serviceAccounts }: Seen): readonly Finding[] {
  return Object.entries(spec.versions).flatMap(([version, { serviceAccount }]) => {
    if (serviceAccount === undefined || serviceAccounts?.includes(`${namespace}/${serviceAccount}`) !== false) return []
    const message = `Version ${version} names service account ${serviceAccount}, which is not in namespace ${namespace}.`
    const object = `ServiceAccount ${namespace}/${serviceAccount}`
    return [finding('ServiceAccountMissing', message, { object, field: `/versions/${version}/serviceAccount` })]
  })
}

/** Namespaces in which a policy and its service name service accounts, in order. */
export function accountNamespaces({
  namespace,
  spec,
  policy,
}: Pick<Desired, 'namespace' | 'spec' | 'policy'>): readonly string[] {
  const { allow = [], deny = [] } = policy.policy.security?.authorization ?? {}
  const named = [...allow, ...deny].flatMap(({ serviceAccounts = [] }) =>
    serviceAccounts.map((one) => one.split('/')[0] ?? ''),
  )
  const own = Object.values(spec.versions).some(({ serviceAccount }) => serviceAccount !== undefined) ? [namespace] : []
  return [...new Set([...named, ...own])].sort()
}

/** Does a policy name namespaces or service accounts of callers? */
export function namesCallers({ policy }: Pick<Desired, 'policy'>): boolean {
  const { allow = [], deny = [] } = policy.policy.security?.authorization ?? {}
  return [...allow, ...deny].some(({ serviceAccounts, namespaces }) => serviceAccounts ?? namespaces)
}
