import type { EmulatorRequest } from '../emulator.ts'
import type { Json, JsonObject } from './json.ts'
import { isObject } from './json.ts'
import type { KubernetesError } from './status.ts'
import { failure, invalid, quoted, unauthorized } from './status.ts'

/** A rule as RBAC writes it. `*` stands for everything. */
export interface AccessRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  /** Plurals; a subresource is `pods/status`. */
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  /** Namespaces the rule holds in, as a RoleBinding would bind it; without them it holds in all and for the cluster. */
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export interface User {
  readonly user: string
  readonly groups: readonly string[]
  /** Without rules everything is allowed (`system:masters`). */
  readonly rules?: readonly AccessRule[]
}

/** What somebody wants to do to objects. */
export interface ResourceAction {
  readonly verb: string
  readonly group: string
  /** Plural, with the subresource: `pods/status`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

/** Paths open to everybody, and those open to everybody who is known. */
const publicPaths = ['/healthz', '/livez', '/readyz', '/version']
const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...publicPaths]

const anonymous: User = {
  user: 'system:anonymous',
  groups: ['system:unauthenticated'],
  rules: [{ verbs: ['get'], nonResourceURLs: publicPaths }],
}

/** Rules that every known user has besides its own. */
const everybody: readonly AccessRule[] = [
  { verbs: ['get'], nonResourceURLs: discoveryPaths },
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews'] },
]

/** The user of a bearer token; nobody in particular without one. Throws KubernetesError 401 for an unknown token. */
export function authenticate(request: EmulatorRequest, tokens: Readonly<Record<string, User>>): User {
  const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ')
  if (scheme.toLowerCase() !== 'bearer') return anonymous
  const user = Object.hasOwn(tokens, token) ? tokens[token] : undefined
  if (!user) throw unauthorized()
  return user.rules ? { ...user, rules: [...user.rules, ...everybody] } : user
}

/** Whether the user may act on objects. */
export function mayAct({ rules }: User, action: ResourceAction): boolean {
  if (!rules) return true
  return rules.some(
    (rule) =>
      covers(rule.verbs, action.verb) &&
      covers(rule.apiGroups ?? [], action.group) &&
      covers(rule.resources ?? [], action.resource) &&
      (!rule.resourceNames || rule.resourceNames.includes(action.name)) &&
      (!rule.namespaces || rule.namespaces.includes(action.namespace)),
  )
}

/** Whether the user may call a path that names no objects. */
export function mayCall({ rules }: User, verb: string, path: string): boolean {
  if (!rules) return true
  const open = (url: string) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
  return rules.some((rule) => covers(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some(open))
}

/** 403 in the words of the real server. */
export function forbidden({ user }: User, action: ResourceAction): KubernetesError {
  const { verb, group, resource, namespace, name } = action
  const [plural = ''] = resource.split('/')
  const qualified = group ? `${plural}.${group}` : plural
  const where = namespace ? `in the namespace ${quoted(namespace)}` : 'at the cluster scope'
  const what = `cannot ${verb} resource ${quoted(resource)} in API group ${quoted(group)} ${where}`
  const subject = name ? `${qualified} ${quoted(name)}` : qualified
  const message = `${subject} is forbidden: User ${quoted(user)} ${what}`
  return failure(403, 'Forbidden', message, { name, group, kind: plural })
}

export function forbiddenPath({ user }: User, verb: string, path: string): KubernetesError {
  return failure(403, 'Forbidden', `forbidden: User ${quoted(user)} cannot ${verb} path ${quoted(path)}`, {})
}

/** The answer to a POSTed SelfSubjectAccessReview. Throws KubernetesError 422 when it asks for nothing, or for two things. */
export function reviewAccess(user: User, body: Json): JsonObject {
  const spec = isObject(body) && isObject(body.spec) ? body.spec : {}
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  if (isObject(resource) === isObject(path)) throw badReview()
  const allowed = isObject(resource)
    ? mayAct(user, actionOf(resource))
    : isObject(path) && mayCallAttributes(user, path)
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec,
    status: { allowed },
  }
}

function actionOf(attributes: JsonObject): ResourceAction {
  const text = (field: string) => String(attributes[field] ?? '')
  const subresource = text('subresource')
  return {
    verb: text('verb'),
    group: text('group'),
    resource: subresource ? `${text('resource')}/${subresource}` : text('resource'),
    namespace: text('namespace'),
    name: text('name'),
  }
}

function mayCallAttributes(user: User, attributes: JsonObject): boolean {
  return mayCall(user, String(attributes.verb ?? ''), String(attributes.path ?? ''))
}

function badReview(): KubernetesError {
  const message = 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return invalid({ group: 'authorization.k8s.io', plural: '', kind: '' }, '', [
    { field: 'spec.resourceAttributes', reason: 'FieldValueInvalid', message },
  ])
}

function covers(allowed: readonly string[], wanted: string): boolean {
  return allowed.includes('*') || allowed.includes(wanted)
}
