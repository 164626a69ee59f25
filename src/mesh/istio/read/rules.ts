import { canonicalJson } from '../../../model/digest.ts'
import { describeRef, type KubeObject, refOf } from '../../../model/kube.ts'
import { type ImportFinding, importFinding } from '../../read/codes.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { Statement, Topic } from '../../read/meaning.ts'
import { type Fields, fieldsOf, freeName, listOf, present, stringsOf } from '../../read/values.ts'
import { AUTHORIZATION_POLICY } from '../names.ts'
import { enforced, furtherStatements, issuersOf, ofKind, triedStatements } from './security.ts'

/** One rule of an AuthorizationPolicy for one source and one operation. */
interface PlainRule {
  readonly action: string
  readonly policy: KubeObject
  readonly index: number
  /** By field: `serviceAccounts`, `namespaces`, `methods`, `claims`; what has no words by its own name. */
  readonly fields: Fields
  /** Asks for a token of the service's own issuers, or refuses those that have none. */
  readonly token?: 'needed' | 'missing'
}

const ISSUER = 'request.auth.claims[iss]'

/** The rules of all policies: Istio takes those of one action together, and within a rule each source with each operation. */
function plainRules(objects: readonly KubeObject[]): readonly PlainRule[] {
  const issuers = issuersOf(objects)
  return enforced(objects).flatMap((policy) => {
    const action = String(policy.spec?.action ?? 'ALLOW')
    return listOf(policy.spec?.rules).flatMap((rule, index) => {
      const { from, to, when, ...more } = rule
      const sources = anyOf(listOf(from).map(({ source, ...more }) => ({ ...fieldsOf(source), ...more })))
      const operations = anyOf(listOf(to).map(({ operation, ...more }) => ({ ...fieldsOf(operation), ...more })))
      return sources.flatMap((source) =>
        operations.map((operation): PlainRule => {
          const { token, ...fields } = plainFields({ action, source, operation, when: listOf(when), more }, issuers)
          return { action, policy, index, fields, ...(token ? { token } : {}) }
        }),
      )
    })
  })
}

/** An empty list is none to Istio: the rule is for all, and not for nobody. */
function anyOf(parts: readonly Fields[]): readonly Fields[] {
  return parts.length === 0 ? [{}] : parts
}

interface Parts {
  readonly action: string
  readonly source: Fields
  readonly operation: Fields
  readonly when: readonly Fields[]
  readonly more: Fields
}

type WithToken = Fields & { readonly token?: 'needed' | 'missing' }

function plainFields({ action, source, operation, when, more }: Parts, issuers: readonly string[]): WithToken {
  const { principals, serviceAccounts, requestPrincipals, notRequestPrincipals, ...from } = source
  const accounts = [...stringsOf(serviceAccounts), ...stringsOf(principals).map(accountOf)]
  const claims: Record<string, readonly string[]> = {}
  const others: Fields[] = []
  const principal = tokenOf(requestPrincipals, notRequestPrincipals, issuers)
  let token = principal
  for (const { key, values, ...rest } of when) {
    const claim = /^request\.auth\.claims\[([^\][]+)\]$/.exec(String(key))?.[1]
    const isPlain = Object.keys(rest).length === 0
    const isNegative = values === undefined && Object.keys(rest).join() === 'notValues'
    if (key === ISSUER && isPlain && token !== 'missing' && isAllOf(values, issuers)) token = 'needed'
    else if (key === ISSUER && isNegative && token !== 'needed' && isAllOf(rest.notValues, issuers)) token = 'missing'
    else if (claim !== undefined && isPlain && claims[claim] === undefined)
      claims[claim] = [...stringsOf(values)].sort()
    else others.push({ key, values, ...rest })
  }
  // Claims are of tokens that were taken, and taken are those of the issuers.
  if (action === 'ALLOW' && Object.keys(claims).length > 0 && issuers.length > 0) token ??= 'needed'
  const unread = principal ? {} : present({ requestPrincipals, notRequestPrincipals })
  return present({
    ...sorted(from),
    ...sorted(operation),
    ...more,
    ...unread,
    serviceAccounts: accounts.length === 0 ? undefined : accounts.sort(),
    claims: Object.keys(claims).length === 0 ? undefined : claims,
    when: others.length === 0 ? undefined : others,
    token,
  }) as WithToken
}

/** `*` is a token of anyone that is taken at all, and those of the service's issuers are. */
function tokenOf(needed: unknown, missing: unknown, issuers: readonly string[]): PlainRule['token'] {
  const own = issuers.map((issuer) => `${issuer}/*`)
  const isOwn = (value: unknown) => isAllOf(value, ['*']) || isAllOf(value, own)
  if (issuers.length === 0) return undefined
  if (needed !== undefined && missing === undefined && isOwn(needed)) return 'needed'
  return missing !== undefined && needed === undefined && isOwn(missing) ? 'missing' : undefined
}

function isAllOf(value: unknown, all: readonly string[]): boolean {
  const some = stringsOf(value)
  return all.length > 0 && canonicalJson([...some].sort()) === canonicalJson([...all].sort())
}

function sorted(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, Array.isArray(value) ? [...value].sort() : value]),
  )
}

const PRINCIPAL = /^(?:\*|[^/*]+)\/ns\/([^/*]+)\/sa\/([^/*]+)$/

/** `shop/web` of a principal, whatever its trust domain; any other form as it is. */
function accountOf(principal: string): string {
  const [, namespace, name] = PRINCIPAL.exec(principal) ?? []
  return namespace === undefined ? `principal ${principal}` : `${namespace}/${name}`
}

/** Who is let in and who is not: each rule by itself. That there is a policy that allows nobody says something too. */
export function rulesMeaning(objects: readonly KubeObject[]): Topic {
  const rules = plainRules(objects)
  const statements = rules.map(({ action, policy, index, fields, token }): Statement => {
    const needs = token ? { token } : {}
    const key = `${action} ${canonicalJson({ ...fields, ...needs })}`
    return { key, value: {}, at: { object: refOf(policy), pointer: `/spec/rules/${index}` } }
  })
  const allowing = enforced(objects).filter(({ spec }) => (spec?.action ?? 'ALLOW') === 'ALLOW')
  const [first] = allowing
  const isClosed = first && !rules.some(({ action }) => action === 'ALLOW')
  const nobody: Statement[] = isClosed
    ? [{ key: 'ALLOW nobody', value: {}, at: { object: refOf(first), pointer: '/spec' } }]
    : []
  const further = ofKind(objects, AUTHORIZATION_POLICY).flatMap((policy) =>
    furtherStatements(policy, ['action', 'rules']),
  )
  return { statements: [...statements, ...nobody, ...further, ...triedStatements(objects)] }
}

export interface ReadRules {
  readonly required: boolean
  /** Undefined: nothing is said of who may call. */
  readonly authorization: Fields | undefined
  readonly findings: readonly ImportFinding[]
}

/** The rules in the words of a service. Those without words are found by comparison. */
export function readRules(service: KubeService, objects: readonly KubeObject[]): ReadRules {
  const rules = plainRules(objects)
  const issuers = issuersOf(objects)
  const taken = { ALLOW: new Set<string>(), DENY: new Set<string>() }
  const listFor = (action: 'ALLOW' | 'DENY') =>
    rules
      .filter((rule) => rule.action === action && !isToken(rule))
      .map((rule) => {
        const name = freeName(rule.policy.metadata.name, taken[action])
        taken[action].add(name)
        return { name, ...neutralRule(service, rule, action === 'ALLOW' ? issuers : []) }
      })
  const allows = enforced(objects).some(({ spec }) => (spec?.action ?? 'ALLOW') === 'ALLOW')
  const [allow, deny] = [listFor('ALLOW'), listFor('DENY')]
  const authorization = present({ allow: allows ? allow : undefined, deny: deny.length > 0 ? deny : undefined })
  return {
    required: rules.some(isToken),
    authorization: Object.keys(authorization).length === 0 ? undefined : authorization,
    findings: trustFindings(objects),
  }
}

/** Does a rule refuse whoever has no token, on these ports or on all? */
function isToken({ action, token, fields }: PlainRule): boolean {
  return action === 'DENY' && token === 'missing' && Object.keys(fields).every((field) => field === 'ports')
}

/** A rule with fields that the schema does not know is refused by it, and told. */
function neutralRule({ ports }: KubeService, { fields, token }: PlainRule, issuers: readonly string[]): Fields {
  const { ports: numbers, claims, ...rest } = fields
  const named = stringsOf(numbers).map(
    (number) => ports.find(({ targetPort }) => String(targetPort) === number)?.name ?? number,
  )
  const asked = token === 'needed' && claims === undefined && issuers.length > 0 ? { iss: issuers } : claims
  return present({ ...rest, ports: numbers === undefined ? undefined : named, claims: asked })
}

function trustFindings(objects: readonly KubeObject[]): readonly ImportFinding[] {
  return ofKind(objects, AUTHORIZATION_POLICY).flatMap((policy) => {
    const principals = listOf(policy.spec?.rules).flatMap(({ from }) =>
      listOf(from).flatMap(({ source }) => stringsOf(fieldsOf(source).principals)),
    )
    const named = principals.filter((principal) => PRINCIPAL.test(principal) && !principal.startsWith('*'))
    if (named.length === 0) return []
    const object = describeRef(refOf(policy))
    return [
      importFinding('TrustDomain', `${object} names a trust domain, such as in ${named[0]}.`, {
        object,
        field: '/spec/rules',
      }),
    ]
  })
}
