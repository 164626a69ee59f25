import { canonicalJson } from '../../../model/digest.ts'
import type { KubeObject } from '../../../model/kube.ts'
import { foldPorts, type ReadRoute } from '../../read/fold-ports.ts'
import type { KubeService, Port } from '../../read/kube-service.ts'
import { type Fields, fieldsOf, freeName, listOf, stringsOf } from '../../read/values.ts'
import { serviceHost } from '../names.ts'
import { fullHost, isHostOf } from './choose.ts'
import { neutralMatches } from './match.ts'
import { neutralSettings } from './settings.ts'

/** Versions, the first of them, and what of `traffic` and `hosts` the routes say. */
export interface ReadRoutes {
  readonly versions: Fields
  readonly initialVersion: string
  readonly traffic: Fields
  readonly hosts: readonly string[]
}

/** The version without a subset: all Pods of the Service. */
const ALL = 'all'

export function readRoutes(
  service: KubeService,
  route: KubeObject | undefined,
  rule: KubeObject | undefined,
): ReadRoutes {
  const naming = namesOf(service, route, rule)
  const ports = service.ports.filter(({ protocol }) => protocol !== 'tcp')
  const weights = weightsOf(service, route, naming)
  const byPort = ports.map((port) => ({
    port,
    routes: route ? routesOf(service, route, port, { naming, weights }) : [],
  }))
  const [first] = Object.entries(weights).toSorted(([, a], [, b]) => b - a)
  return {
    versions: naming.versions,
    initialVersion: first?.[0] ?? naming.nameOf(undefined),
    traffic: {
      ...(Object.keys(weights).length > 1 ? { weights } : {}),
      ...foldPorts(byPort),
    },
    hosts: furtherHosts(service, route),
  }
}

function furtherHosts({ namespace, name }: KubeService, route: KubeObject | undefined): readonly string[] {
  const all = stringsOf(route?.spec?.hosts).map((host) => fullHost(host, route?.metadata.namespace))
  return all.filter((host) => host !== serviceHost(namespace, name))
}

interface Naming {
  readonly versions: Fields
  /** The version of a subset, or of none. */
  nameOf(subset: string | undefined): string
}

/** A version a subset; one more for all Pods where some destination has no subset. */
function namesOf(service: KubeService, route: KubeObject | undefined, rule: KubeObject | undefined): Naming {
  const names = new Map<string | undefined, string>()
  const versions: Record<string, unknown> = {}
  const add = (subset: string | undefined, labels: Fields) => {
    const name = freeName(subset ?? ALL, new Set(names.values()))
    names.set(subset, name)
    versions[name] = { labels }
  }
  for (const { name, labels } of listOf(rule?.spec?.subsets)) {
    const own = fieldsOf(labels)
    add(String(name), Object.keys(own).length === 0 ? service.selector : own)
  }
  const used = [...listOf(route?.spec?.http), ...listOf(route?.spec?.tcp)].flatMap((one) => listOf(one.route))
  const isBare = used.some(({ destination }) => fieldsOf(destination).subset === undefined)
  if (isBare || used.length === 0 || names.size === 0) add(undefined, service.selector)
  return { versions, nameOf: (subset) => names.get(subset) ?? ALL }
}

type Weights = Readonly<Record<string, number>>

/** How requests are divided that no other route takes, else those of the first route that divides any. */
function weightsOf(service: KubeService, route: KubeObject | undefined, naming: Naming): Weights {
  const routes = [...listOf(route?.spec?.http), ...listOf(route?.spec?.tcp)].filter((one) => Array.isArray(one.route))
  const rest = routes.find(({ match }) => !Array.isArray(match) || match.length === 0) ?? routes.at(-1)
  return (rest && route && sharesOf(service, route, rest, naming)) ?? { [naming.nameOf(undefined)]: 100 }
}

/** Whole per cents by version; undefined: other services get some, or nothing says how it is divided. */
function sharesOf(service: KubeService, object: KubeObject, route: Fields, naming: Naming): Weights | undefined {
  const parts = listOf(route.route)
  const found: Record<string, number> = {}
  const sum = parts.reduce((total, { weight }) => total + Number(weight ?? 0), 0)
  for (const { destination, weight } of parts) {
    const { host, subset } = fieldsOf(destination)
    if (!isHostOf(String(host ?? ''), object, service)) return undefined
    const share = parts.length === 1 ? 100 : Math.round((Number(weight ?? 0) / sum) * 100)
    const name = naming.nameOf(subset as string | undefined)
    if (share > 0) found[name] = (found[name] ?? 0) + share
  }
  return Object.keys(found).length === 0 ? undefined : found
}

interface Scene {
  readonly naming: Naming
  readonly weights: Weights
}

/** The routes of a port that have words, in order; what follows one for all requests is never used. */
function routesOf(
  service: KubeService,
  object: KubeObject,
  port: Port,
  { naming, weights }: Scene,
): readonly ReadRoute[] {
  const found: ReadRoute[] = []
  const taken = new Set<string>()
  for (const [index, route] of listOf(object.spec?.http).entries()) {
    const all = Array.isArray(route.match) ? listOf(route.match) : []
    const matches = all.filter((match) => match.port === undefined || match.port === port.port)
    if (all.length > 0 && matches.length === 0) continue
    const match = neutralMatches(matches)
    const isForAll = matches.length === 0 || match?.some((one) => isAll(one))
    const shares = route.route === undefined ? undefined : sharesOf(service, object, route, naming)
    const isSayable = route.redirect !== undefined || (shares && canonicalJson(shares) === canonicalJson(weights))
    if (match && isSayable) {
      const name = freeName(plainName(String(route.name ?? `route-${index + 1}`), port), taken)
      taken.add(name)
      const settings = neutralSettings(route, matches, (destination) => versionOf(service, object, destination, naming))
      found.push({ name, match: isForAll ? undefined : match, settings })
    }
    if (isForAll) break
  }
  return found
}

/** `api` of `route.api.http`, as Meshwright writes it for port http. */
function plainName(name: string, port: Port): string {
  const bare = name.replace(/^route\./, '')
  return bare.endsWith(`.${port.name}`) ? bare.slice(0, -port.name.length - 1) : bare
}

function isAll(match: Fields): boolean {
  return canonicalJson(match) === '{}' || canonicalJson(match) === canonicalJson({ path: { prefix: '/' } })
}

function versionOf(service: KubeService, object: KubeObject, destination: unknown, naming: Naming): string | undefined {
  const { host, subset } = fieldsOf(destination)
  if (!isHostOf(String(host ?? ''), object, service)) return undefined
  return naming.nameOf(subset as string | undefined)
}
