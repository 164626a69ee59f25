import {
  type Emulator,
  type EmulatorContext,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonResponse,
} from '../emulator.ts'

/** A directory as Microsoft Graph shows it. */
export interface GraphTenant {
  readonly users: readonly GraphUser[]
  readonly groups: readonly GraphGroup[]
  readonly servicePrincipals: readonly GraphServicePrincipal[]
}

export interface GraphUser {
  readonly id: string
  readonly displayName: string
  /** An account that is not says `false`. */
  readonly accountEnabled?: boolean
  /** Groups, directory roles: by id, direct ones only. */
  readonly memberOf: readonly string[]
}

export interface GraphGroup {
  readonly id: string
  readonly displayName: string
  readonly type?: 'group' | 'directoryRole'
  /** Groups that it is nested in. */
  readonly memberOf?: readonly string[]
}

export interface GraphServicePrincipal {
  readonly id: string
  readonly appRoles: readonly { readonly id: string; readonly value: string }[]
  readonly assignedTo: readonly { readonly principalId: string; readonly appRoleId: string }[]
}

export interface GraphOptions {
  readonly tenant: GraphTenant
  readonly checkToken: (token: string, audience: string) => Promise<boolean>
  /** Seconds for which the next request is sent away with 429; asked at each. */
  readonly throttledS?: () => number | undefined
}

const AUDIENCE = 'https://graph.microsoft.com'
const DEFAULT_PAGE = 100
const LARGEST_PAGE = 999

type Item = Readonly<Record<string, unknown>>

/**
 * Reads of Microsoft Graph v1.0: users, their groups, enterprise applications and who holds their app roles; `$select`,
 * `$top` and pages. Protocol: learn.microsoft.com/graph/api/overview, errors: learn.microsoft.com/graph/errors.
 */
export function graphEmulator(context: EmulatorContext, { tenant, checkToken, throttledS }: GraphOptions): Emulator {
  return async (request) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined || !(await checkToken(token, AUDIENCE))) {
      return failure(context, 401, 'InvalidAuthenticationToken', 'Access token validation failure.')
    }
    const wait = throttledS?.()
    if (wait !== undefined) {
      const sent = failure(context, 429, 'TooManyRequests', 'Too many requests')
      return { ...sent, headers: { ...sent.headers, 'retry-after': String(wait) } }
    }
    if (request.method !== 'GET')
      return failure(context, 405, 'Request_BadRequest', 'Specified HTTP method is not allowed.')
    return answer(context, tenant, request)
  }
}

function answer(context: EmulatorContext, tenant: GraphTenant, request: EmulatorRequest): EmulatorResponse {
  const [version, kind, id = '', part, more] = request.url.pathname.split('/').slice(1).map(decodeURIComponent)
  if (version !== 'v1.0') return failure(context, 400, 'BadRequest', 'Invalid version.')
  const missing = () =>
    failure(
      context,
      404,
      'Request_ResourceNotFound',
      `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
    )
  if (more !== undefined) return missing()
  if (kind === 'users') {
    const user = tenant.users.find((one) => one.id === id)
    if (!user) return missing()
    if (part === undefined) return jsonResponse(200, selected(request, userItem(user)))
    if (part === 'memberOf') return collection(context, request, groupItems(tenant, user.memberOf))
    if (part === 'transitiveMemberOf')
      return collection(context, request, groupItems(tenant, allGroups(tenant, user.memberOf)))
  }
  if (kind === 'servicePrincipals') {
    const principal = tenant.servicePrincipals.find((one) => one.id === id)
    if (!principal) return missing()
    const { appRoles, assignedTo } = principal
    if (part === undefined) return jsonResponse(200, selected(request, { id, appRoles: appRoles.map(roleItem) }))
    if (part === 'appRoleAssignedTo') {
      const items = assignedTo.map((one) => ({ ...one, principalType: principalType(tenant, one), resourceId: id }))
      return collection(context, request, items)
    }
  }
  return failure(context, 400, 'BadRequest', `Resource not found for the segment '${part ?? kind ?? ''}'.`)
}

function userItem({ id, displayName, accountEnabled = true }: GraphUser): Item {
  return { id, displayName, accountEnabled, userPrincipalName: `${id}@sandbox.invalid` }
}

function roleItem({ id, value }: GraphServicePrincipal['appRoles'][number]): Item {
  return {
    id,
    value,
    displayName: value,
    isEnabled: true,
    origin: 'Application',
    allowedMemberTypes: ['User', 'Application'],
  }
}

function principalType(tenant: GraphTenant, { principalId }: { readonly principalId: string }): string {
  if (tenant.users.some(({ id }) => id === principalId)) return 'User'
  return tenant.groups.some(({ id }) => id === principalId) ? 'Group' : 'ServicePrincipal'
}

function groupItems(tenant: GraphTenant, ids: readonly string[]): readonly Item[] {
  return tenant.groups
    .filter(({ id }) => ids.includes(id))
    .map(({ id, displayName, type = 'group' }) => ({ '@odata.type': `#microsoft.graph.${type}`, id, displayName }))
}

/** Groups of groups, to the end; each once, also where groups are nested in a ring. */
function allGroups(tenant: GraphTenant, direct: readonly string[]): readonly string[] {
  const found = new Set<string>()
  const open = [...direct]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(tenant.groups.find(({ id }) => id === next)?.memberOf ?? []))
  }
  return [...found]
}

/** One page; `@odata.nextLink` leads to the next. */
function collection(context: EmulatorContext, request: EmulatorRequest, items: readonly Item[]): EmulatorResponse {
  const query = request.url.searchParams
  const top = Number(query.get('$top') ?? DEFAULT_PAGE)
  if (!Number.isInteger(top) || top < 1 || top > LARGEST_PAGE) {
    return failure(context, 400, 'Request_UnsupportedQuery', 'Invalid page size specified.')
  }
  const from = Number(query.get('$skiptoken') ?? 0)
  const value = items.slice(from, from + top).map((item) => selected(request, item))
  const next = new URL(request.url)
  next.searchParams.set('$skiptoken', String(from + top))
  const more = from + top < items.length ? { '@odata.nextLink': next.href } : {}
  return jsonResponse(200, { '@odata.context': `${AUDIENCE}/v1.0/$metadata`, ...more, value })
}

/** The fields that `$select` names; annotations stay. */
function selected({ url }: EmulatorRequest, item: Item): Item {
  const fields = url.searchParams.get('$select')?.split(',')
  if (!fields) return item
  return Object.fromEntries(Object.entries(item).filter(([name]) => name.startsWith('@') || fields.includes(name)))
}

function failure(context: EmulatorContext, status: number, code: string, message: string): EmulatorResponse {
  const date = new Date(context.now()).toISOString().slice(0, 19)
  return jsonResponse(status, { error: { code, message, innerError: { date } } })
}
