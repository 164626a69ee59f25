import { canonicalJson } from '../../../model/digest.ts'
import { HTTP_METHODS, type HttpMethod } from '../../../model/policy/request-match.ts'
import type { AuthorizationRule } from '../../../model/policy/security.ts'
import type { Finding } from '../../lint/finding.ts'
import { connectable, type Grant, type Match } from './grants.ts'
import { isWithin, sayPaths } from './paths.ts'
import { found } from './rules.ts'
import type { MeshPort } from './services.ts'

/** What is to be said of a match instead, by whoever knows what its callers send. */
export interface Replacement {
  /** `bookstore/bookstore-service-routes` */
  readonly routeGroup: string
  readonly match: string
  /** As rules name them; each must be within the pathRegex. Left out: what the pathRegex says. */
  readonly paths?: readonly string[] | undefined
  /** Let the headers that it asks for go unasked. */
  readonly withoutHeaders?: boolean | undefined
}

/** The smallest thing that can be let in: requests of one caller with one method to one path pattern at one port. */
export interface Access {
  /** `bookbuyer/bookbuyer` */
  readonly from: string
  /** Name of a port of the service. */
  readonly port: string
  /** Undefined: all, or a connection. */
  readonly method?: HttpMethod
  /** Undefined: all, or a connection. */
  readonly path?: string
}

export interface ReadAccess {
  readonly access: readonly Access[]
  /** Who gets anything in now. */
  readonly callers: readonly string[]
  /** Those of them of whose requests some are not in `access`. */
  readonly cut: readonly string[]
  readonly findings: readonly Finding[]
}

/** What rules of a service can say of who may call Pods of an account at these ports. */
export function accessTo(
  account: string,
  ports: readonly MeshPort[],
  grants: readonly Grant[],
  replacements: readonly Replacement[],
): ReadAccess {
  const findings: Finding[] = []
  const callers = new Set<string>()
  const cut = new Set<string>()
  const own = grants.filter(({ to }) => to === account)
  const access = own.flatMap((grant) => {
    const said = grant.matches.map((match) => requestsOf(match, replacements))
    findings.push(...said.flatMap((one) => one.findings))
    return grant.from.flatMap((from) => {
      const open = connectable(grants, account, from)
      const reached = ports.filter(({ targetPort }) => open === undefined || open.includes(targetPort))
      const at = (tcp: boolean) =>
        reached.filter(({ protocol }) => (protocol === 'tcp') === tcp).map(({ name }) => name)
      const [requests, connections] = [at(false), at(true)]
      if (connections.length > 0 || (requests.length > 0 && said.length > 0)) callers.add(from)
      if (requests.length > 0 && said.some(({ whole }) => !whole)) cut.add(from)
      return [
        ...requests.flatMap((port) =>
          said.flatMap((one) => one.requests.map((request): Access => ({ from, port, ...request }))),
        ),
        ...connections.map((port): Access => ({ from, port })),
      ]
    })
  })
  const all = own.some(({ from }) => from.length === 0) ? callers : cut
  return { access: unique(access), callers: [...callers].sort(), cut: [...all].sort(), findings }
}

/** Of each once, in a fixed order. */
export function unique(access: readonly Access[]): readonly Access[] {
  const all = new Map(access.map((one) => [canonicalJson(one), one]))
  return [...all.keys()].sort().flatMap((key) => all.get(key) ?? [])
}

/** What both let in, and what only some do. */
export function shared(all: readonly (readonly Access[])[]): { both: readonly Access[]; lost: readonly Access[] } {
  const texts = all.map((access) => new Set(access.map(canonicalJson)))
  const union = unique(all.flat())
  const isShared = (one: Access) => texts.every((text) => text.has(canonicalJson(one)))
  return { both: union.filter(isShared), lost: union.filter((one) => !isShared(one)) }
}

type Request = Pick<Access, 'method' | 'path'>

/** What rules say of the requests of a match; `whole`: they let in each of them. */
function requestsOf(
  match: Match,
  replacements: readonly Replacement[],
): { requests: readonly Request[]; whole: boolean; findings: readonly Finding[] } {
  const { routeGroup, name } = match
  const object = `HTTPRouteGroup ${routeGroup}`
  const replacement = replacements.findLast((one) => one.routeGroup === routeGroup && one.match === name)
  const none = (finding: Finding) => ({ requests: [], whole: false, findings: [finding] })
  const headers = Object.keys(match.headers ?? {})
  if (headers.length > 0 && !replacement?.withoutHeaders)
    return none(found('HeadersNotSayable', object, `Match ${name} asks for ${headers.join(', ')}.`, { field: name }))
  const dropped =
    headers.length > 0
      ? [found('HeadersDropped', object, `Match ${name} asks for ${headers.join(', ')}.`, { field: name })]
      : []
  const methods = methodsOf(match)
  if (!methods) return none(found('NameNotSayable', object, `Match ${name} has a method that is none of HTTP's.`))
  const paths = replacement?.paths
  if (paths) {
    const outside = paths.find((path) => !isWithin(path, match.path))
    if (outside !== undefined) {
      const message = `${outside} is not surely within ${match.path} of match ${name}.`
      return none(found('ReplacementRefused', object, message, { field: name }))
    }
    return { requests: products(methods, paths), whole: false, findings: dropped }
  }
  const said = sayPaths(match.path)
  if (!said) return none(found('PathNotSayable', object, `Match ${name} asks for ${match.path}.`, { field: name }))
  const narrowed = said.narrowed
    ? [
        found('PathNarrowed', object, `Match ${name} asks for ${match.path}: ${said.paths?.join(', ')}.`, {
          field: name,
        }),
      ]
    : []
  return {
    requests: products(methods, said.paths ?? [undefined]),
    whole: !said.narrowed,
    findings: [...dropped, ...narrowed],
  }
}

function methodsOf({ methods }: Match): readonly (HttpMethod | undefined)[] | undefined {
  if (!methods) return [undefined]
  const known = HTTP_METHODS.filter((method) => methods.includes(method))
  return known.length === methods.length ? known : undefined
}

function products(
  methods: readonly (HttpMethod | undefined)[],
  paths: readonly (string | undefined)[],
): readonly Request[] {
  return methods.flatMap((method) =>
    paths.map((path) => ({ ...(method ? { method } : {}), ...(path === undefined ? {} : { path }) })),
  )
}

/** Most callers of one rule, paths of one rule, and rules. */
const MOST_CALLERS = 16
const MOST_PATHS = 64
export const MOST_RULES = 64

/** Rules that let in just this, as few as go by joining what differs in one thing: methods, then paths, ports and callers. */
export function rulesFor(access: readonly Access[]): readonly AuthorizationRule[] {
  const byMethod = joined(access, 'method', ({ from, port, path }) => [from, port, path ?? null])
  const byPath = joined(byMethod, 'path', ({ from, port, method }) => [from, port, method])
  const byPort = joined(byPath, 'port', ({ from, method, path }) => [from, method, path])
  const byCaller = joined(byPort, 'from', ({ port, method, path }) => [port, method, path])
  const names = new Set<string>()
  return byCaller.flatMap(({ from, port, method, path }) =>
    chunks(from as readonly string[], MOST_CALLERS).flatMap((serviceAccounts) =>
      chunks(wanted(path) ?? [], MOST_PATHS, true).map((paths): AuthorizationRule => {
        const methods = wanted(method) as HttpMethod[] | undefined
        return {
          name: freeName(serviceAccounts, names),
          serviceAccounts: [...serviceAccounts],
          ...(methods ? { methods } : {}),
          ...(paths.length > 0 ? { paths: [...paths] } : {}),
          ports: [...(port as readonly string[])],
        }
      }),
    ),
  )
}

type Field = 'from' | 'port' | 'method' | 'path'
type Joined = Readonly<Record<Field, unknown>>

/** Those that are equal but for one field, as one with a list in it. */
function joined(all: readonly Partial<Joined>[], field: Field, rest: (one: Joined) => unknown): readonly Joined[] {
  const groups = new Map<string, Joined & Record<Field, unknown[]>>()
  for (const one of all as readonly Joined[]) {
    const key = canonicalJson(rest(one))
    const group = groups.get(key)
    const value = one[field] ?? null
    if (group) group[field].push(value)
    else groups.set(key, { ...one, [field]: [value] } as Joined & Record<Field, unknown[]>)
  }
  return [...groups.values()].map((group) => ({ ...group, [field]: [...group[field]].sort() }))
}

/** Undefined where everything is meant, whatever else is named beside it. */
function wanted(values: unknown): readonly string[] | undefined {
  const list = values as readonly (string | null)[]
  return list.includes(null) ? undefined : (list as readonly string[])
}

function chunks(values: readonly string[], size: number, evenNone = false): readonly (readonly string[])[] {
  if (values.length === 0) return evenNone ? [[]] : []
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size))
}

function freeName(accounts: readonly string[], taken: Set<string>): string {
  const [first = ''] = accounts
  const account = (first.split('/')[1] ?? '').replaceAll('.', '-').slice(0, 40).replace(/-+$/, '')
  const base = accounts.length > 1 ? `${account}-and-others` : account
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}
