import { canonicalJson } from '../../../model/digest.ts'
import { jsonPointer } from '../../../model/json-pointer.ts'
import { type KubeObject, refOf } from '../../../model/kube.ts'
import type { KubeService, Port } from '../../read/kube-service.ts'
import type { Meaning, Statement, Topic } from '../../read/meaning.ts'
import { type Fields, fieldsOf, goDurationMs, isMap, listOf, present, stringsOf } from '../../read/values.ts'
import { serviceHost } from '../names.ts'
import { fullHost, isHostOf } from './choose.ts'
import { plainMatches } from './match.ts'
import { plainRewrite } from './rewrite-meaning.ts'

/** The Pods that a destination means: labels as text, the same for a subset and for none where it selects them all. */
type Versions = (subset: string | undefined) => string

/** What a VirtualService does with requests for a service, by port: each match by itself, in order. Without one all go to all Pods. */
export function routesMeaning(
  service: KubeService,
  route: KubeObject | undefined,
  rule: KubeObject | undefined,
): Meaning {
  const versions = versionsOf(service, rule)
  const topics = service.ports.map((port) => {
    const isTcp = port.protocol === 'tcp'
    const statements = route ? statementsOf(service, route, versions, port) : []
    const last = statements.at(-1)?.key === ALL || (isTcp && statements.length > 0)
    const rest = last ? [] : [unrouted(service, route, port, versions)]
    return [
      `${isTcp ? 'connections' : 'requests'} on port ${port.port}`,
      { statements: [...statements, ...rest.flat()], isOrdered: true },
    ] as const
  })
  return { ...Object.fromEntries(topics), ...scopeOf(service, route) }
}

const ALL = canonicalJson({})

/** Requests that no route takes: none answers them where there are routes, else Istio sends them to any Pod. */
function unrouted(
  service: KubeService,
  route: KubeObject | undefined,
  { protocol }: Port,
  versions: Versions,
): readonly Statement[] {
  const kind = protocol === 'tcp' ? 'tcp' : 'http'
  if (route && listOf(route.spec?.[kind]).length > 0) return []
  const object = { apiVersion: 'v1', kind: 'Service', namespace: service.namespace, name: service.name }
  return [{ key: ALL, value: { route: { [versions(undefined)]: 100 } }, at: { object, pointer: '' } }]
}

function statementsOf(service: KubeService, route: KubeObject, versions: Versions, port: Port): readonly Statement[] {
  const kind = port.protocol === 'tcp' ? 'tcp' : 'http'
  const found = new Map<string, Statement>()
  for (const [index, one] of listOf(route.spec?.[kind]).entries()) {
    const at = { object: refOf(route), pointer: `/spec/${kind}/${index}` }
    const matches = Array.isArray(one.match) && one.match.length > 0 ? listOf(one.match) : [{}]
    for (const match of matches) {
      if (match.port !== undefined && match.port !== port.port) continue
      for (const { key, uri } of plainMatches(match)) {
        // What a match before it takes, or all is taken, is never used.
        if (found.has(key) || found.has(ALL)) continue
        found.set(key, { key, value: effectOf(service, route, one, { versions, port, uri }), at })
      }
    }
  }
  return [...found.values()]
}

interface Scene {
  readonly versions: Versions
  readonly port: Port
  readonly uri: Fields | undefined
}

function effectOf(service: KubeService, object: KubeObject, route: Fields, scene: Scene): Fields {
  const {
    match: _,
    name: _n,
    route: to,
    timeout,
    retries,
    fault,
    rewrite,
    redirect,
    mirror: _c,
    mirrors: _cs,
    ...more
  } = route
  const { mirrorPercentage: _mp, mirrorPercent: _m, ...rest } = more
  const own = destination(service, object, scene)
  const copies = copiesOf(route)
  return present({
    ...rest,
    route: to === undefined ? undefined : shares(listOf(to), own),
    destinations: furtherOf(listOf(to), own),
    timeout: goDurationMs(timeout) === 0 ? undefined : (goDurationMs(timeout) ?? timeout),
    retries: retries === undefined ? undefined : plainRetries(fieldsOf(retries)),
    fault: fault === undefined ? undefined : plainFault(fieldsOf(fault)),
    rewrite: rewrite === undefined ? undefined : plainRewrite(fieldsOf(rewrite), scene.uri),
    redirect: redirect === undefined ? undefined : { redirectCode: 301, ...fieldsOf(redirect) },
    mirrors: copies.length === 0 ? undefined : copies.map((copy) => plainCopy(copy, own)),
  })
}

type Destination = (destination: unknown) => string

/** A version of the service, or whatever else is meant, as text. */
function destination(service: KubeService, object: KubeObject, { versions, port }: Scene): Destination {
  return (destination) => {
    const { host, subset, port: to, ...more } = fieldsOf(destination)
    const isOwn =
      isHostOf(String(host ?? ''), object, service) &&
      (to === undefined || canonicalJson(to) === canonicalJson({ number: port.port }))
    if (!isOwn || Object.keys(more).length > 0) return `other ${canonicalJson(destination)}`
    return versions(typeof subset === 'string' ? subset : undefined)
  }
}

/** Per cents by destination, without those that get nothing. */
function shares(parts: readonly Fields[], own: Destination): Fields {
  const weights = parts.map(({ weight }) => (typeof weight === 'number' ? weight : parts.length === 1 ? 1 : 0))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const found: Record<string, number> = {}
  for (const [index, part] of parts.entries()) {
    const share = parts.length === 1 ? 100 : ((weights[index] ?? 0) / sum) * 100
    if (share === 0) continue
    const text = own(part.destination)
    found[text] = Math.round(((found[text] ?? 0) + share) * 1e6) / 1e6
  }
  return found
}

/** What single destinations say besides, such as headers that they set. */
function furtherOf(parts: readonly Fields[], own: Destination): unknown {
  const said = parts.flatMap(({ destination, weight: _, ...more }) =>
    Object.keys(more).length === 0 ? [] : [[own(destination), more]],
  )
  return said.length === 0 ? undefined : said
}

/** Copies of requests, without those of none. */
export function copiesOf({ mirror, mirrors, mirrorPercentage, mirrorPercent }: Fields): readonly Fields[] {
  const percentage = mirrorPercentage ?? (mirrorPercent === undefined ? undefined : { value: mirrorPercent })
  const all = mirror === undefined ? listOf(mirrors) : [present({ destination: mirror, percentage })]
  return all.filter(({ percentage }) => copyPercent(percentage) !== 0)
}

/** Where nothing is said of how many, all are copied. */
export function copyPercent(percentage: unknown): unknown {
  return plainPercent(percentage, 100)
}

function plainCopy({ destination, percentage, ...more }: Fields, own: Destination): Fields {
  return { ...more, to: own(destination), percent: copyPercent(percentage) }
}

/** Without a list Istio tries these again. */
const USUAL = 'connect-failure,refused-stream,unavailable,cancelled'

export function plainRetries({ attempts, perTryTimeout, retryOn, ...more }: Fields): Fields {
  if (attempts === 0) return { attempts, ...more }
  const on = String(retryOn === undefined || retryOn === '' ? USUAL : retryOn)
  return present({
    attempts,
    perTryTimeout: goDurationMs(perTryTimeout) ?? perTryTimeout,
    on: on
      .split(',')
      .map((reason) => reason.trim())
      // It asks for codes that are listed, and none is.
      .filter((reason) => reason !== 'retriable-status-codes' && reason !== '')
      .sort(),
    ...more,
  })
}

/** A number, or whatever else is there. A percentage without a value is 0, as numbers of protobuf are. */
function plainPercent(percentage: unknown, absent: unknown): unknown {
  if (percentage === undefined) return absent
  const { value = 0, ...more } = fieldsOf(percentage)
  return Object.keys(more).length === 0 ? value : percentage
}

/** Of how many requests a delay or an abort is: of none, unless it says so. */
export function faultPercent({ percentage, percent }: Fields): unknown {
  return plainPercent(percentage, percent ?? 0)
}

/** Undefined: it does nothing. */
function plainFault({ delay, abort, ...more }: Fields): Fields | undefined {
  const part = (one: unknown) => {
    if (!isMap(one) || faultPercent(one) === 0) return undefined
    const { percentage: _, percent: _p, fixedDelay, ...rest } = one
    return present({ percent: faultPercent(one), fixedDelay: goDurationMs(fixedDelay) ?? fixedDelay, ...rest })
  }
  const fault = present({ delay: part(delay), abort: part(abort), ...more })
  return Object.keys(fault).length === 0 ? undefined : fault
}

/** Labels as text by subset, with those of the Service's selector where there is no subset. */
function versionsOf(service: KubeService, rule: KubeObject | undefined): Versions {
  const all = canonicalJson(service.selector)
  const subsets = new Map(
    listOf(rule?.spec?.subsets).map(({ name, labels }) => [name, canonicalJson(fieldsOf(labels))]),
  )
  return (subset) => {
    if (subset === undefined) return all
    const labels = subsets.get(subset)
    return labels === undefined ? `no subset ${subset}` : labels === '{}' ? all : labels
  }
}

/** For whom the object speaks, besides the service itself. */
function scopeOf(service: KubeService, route: KubeObject | undefined): Meaning {
  if (!route) return {}
  const { hosts, gateways, http, tcp, ...further } = route.spec ?? {}
  // Routes of a kind that no port speaks: where a port does not say what it speaks, the guess was wrong.
  const speaks = (isTcp: boolean) => service.ports.some(({ protocol }) => (protocol === 'tcp') === isTcp)
  const more = { ...further, ...(speaks(false) ? {} : present({ http })), ...(speaks(true) ? {} : present({ tcp })) }
  const object = refOf(route)
  const said = (key: string, field: string, index: number): Statement => ({
    key,
    value: {},
    at: { object, pointer: jsonPointer(['spec', field, index]) },
  })
  const names = stringsOf(hosts).map((host) => fullHost(host, route.metadata.namespace))
  const others = names.flatMap((host, index) =>
    host === serviceHost(service.namespace, service.name) ? [] : [said(host, 'hosts', index)],
  )
  const doors = stringsOf(gateways).flatMap((gateway, index) =>
    gateway === 'mesh' ? [] : [said(gateway, 'gateways', index)],
  )
  const rest = Object.entries(more)
    .filter(([field, value]) => !(field === 'exportTo' && canonicalJson(value) === '["*"]'))
    .map(([field, value]): Statement => ({ key: field, value: { [field]: value }, at: { object, pointer: '/spec' } }))
  const topic = (statements: readonly Statement[]): Topic => ({ statements })
  return { 'further hosts': topic(others), gateways: topic(doors), 'other fields': topic(rest) }
}
