import { canonicalJson } from '../../../model/digest.ts'
import { describeRef, type KubeObject, refOf } from '../../../model/kube.ts'
import type { RetryReason } from '../../../model/policy/traffic.ts'
import { GRPC_ROUTE, HTTP_ROUTE, isRoute } from '../../http-route/names.ts'
import { backendsOfRoute, backendText, selectorsIn, versionsByBackend } from '../../http-route/read/backends.ts'
import { readRules } from '../../http-route/read/read-rules.ts'
import { plainMatch, ruleStatements } from '../../http-route/read/rules-meaning.ts'
import { importFinding } from '../../read/codes.ts'
import { foldPorts } from '../../read/fold-ports.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { Meaning, Statement } from '../../read/meaning.ts'
import type { Chosen, Reader, Reading, SeenObjects } from '../../read/reader.ts'
import { type Fields, goDurationMs, listOf, neutralDuration, present } from '../../read/values.ts'
import { AUTHORIZATION_POLICY, LEGACY_ROUTE, RATE_LIMIT, SERVER, SERVICE_PROFILE } from '../names.ts'

/** Routes on Services, that others wrote for Linkerd. Who may call is not read: Servers and their policies stay. */
export const linkerdReader: Reader = {
  kinds: [HTTP_ROUTE, GRPC_ROUTE, LEGACY_ROUTE, SERVICE_PROFILE, SERVER, AUTHORIZATION_POLICY, RATE_LIMIT],
  choose,
  left: (seen, taken) => seen.objects.filter((object) => !taken.has(object)).map(whyLeft),
  read,
  meaning,
  standsAlone: {},
}

function parentsOf({ spec, metadata }: KubeObject): readonly Fields[] {
  return listOf(spec?.parentRefs)
    .filter(({ kind }) => kind === 'Service')
    .map((parent) => ({ ...parent, namespace: parent.namespace ?? metadata.namespace }))
}

function isFor(object: KubeObject, { namespace, name }: Pick<KubeService, 'namespace' | 'name'>): boolean {
  return parentsOf(object).some((parent) => parent.name === name && parent.namespace === namespace)
}

/** Producer routes; those in the namespaces of callers go before them, and are told. */
function choose(service: KubeService, { objects }: SeenObjects): Chosen | undefined {
  const routes = objects.filter((object) => isRoute(object) && isFor(object, service))
  const own = routes.filter(({ metadata }) => metadata.namespace === service.namespace)
  const idle = routes.filter((route) => !own.includes(route))
  const findings = idle.map((route) => {
    const object = describeRef(refOf(route))
    return importFinding('OtherNamespace', `${object} decides for callers of its own namespace.`, { object })
  })
  return routes.length === 0 ? undefined : { objects: own, idle, findings }
}

function whyLeft(object: KubeObject) {
  const name = describeRef(refOf(object))
  const kinds = [SERVER, AUTHORIZATION_POLICY, RATE_LIMIT, SERVICE_PROFILE, LEGACY_ROUTE]
  const isUnread = kinds.some(({ apiVersion, kind }) => kind === object.kind && apiVersion === object.apiVersion)
  const message = isUnread ? `${name} is not read.` : `${name} is for no Service that is read.`
  return importFinding(isUnread ? 'NotRead' : 'Unattached', message, { object: name })
}

const HTTP: Readonly<Record<string, RetryReason>> = { 'gateway-error': 'gateway-error', '5xx': '5xx' }
const GRPC: Readonly<Record<string, RetryReason>> = {
  unavailable: 'grpc-unavailable',
  cancelled: 'grpc-cancelled',
  'deadline-exceeded': 'grpc-deadline-exceeded',
  'resource-exhausted': 'grpc-resource-exhausted',
}

function read(service: KubeService, objects: readonly KubeObject[], seen: SeenObjects): Reading {
  const backends = [...new Set(objects.flatMap(backendsOfRoute))].sort()
  const versions = versionsByBackend(service, backends, selectorsIn(service.namespace, seen))
  const parent = { name: service.name }
  const rules = objects.map((route) => ({ route, ...readRules(route, versions, parent) }))
  const weights = rules[0]?.weights ?? {}
  const [heaviest] = Object.entries(weights).toSorted(([, a], [, b]) => b - a)
  const ports = service.ports.map((port) =>
    takes(objects, GRPC_ROUTE.kind, port.port) ? { ...port, protocol: 'grpc' as const } : port,
  )
  const byPort = ports
    .filter(({ protocol }) => protocol !== 'tcp')
    .map((port) => ({ port, routes: rules.find(({ route }) => onPort(route, port.port))?.routes ?? [] }))
  const traffic = {
    ...(Object.keys(weights).length > 1 ? { weights } : {}),
    ...foldPorts(byPort),
    ...annotated(objects),
  }
  return {
    draft: {
      ports,
      versions: versions.versions,
      initialVersion: heaviest?.[0] ?? Object.keys(versions.versions)[0],
      workload: { labels: service.selector },
      ...(Object.keys(traffic).length === 0 ? {} : { traffic }),
    },
    findings: [],
  }
}

function takes(objects: readonly KubeObject[], kind: string, port: number): boolean {
  return objects.some((route) => route.kind === kind && onPort(route, port))
}

/** A parent without a port is every port. */
function onPort(route: KubeObject, port: number): boolean {
  return parentsOf(route).some((parent) => parent.port === undefined || parent.port === port)
}

/** Retries and timeouts that stand in annotations. */
function annotated(objects: readonly KubeObject[]): Fields {
  const annotations = Object.assign({}, ...objects.map(({ metadata }) => metadata.annotations ?? {})) as Record<
    string,
    string
  >
  const isGrpc = annotations['retry.linkerd.io/grpc'] !== undefined
  const reasons = (annotations['retry.linkerd.io/grpc'] ?? annotations['retry.linkerd.io/http'])?.split(',')
  const on = reasons?.map((reason) => (isGrpc ? GRPC : HTTP)[reason] ?? reason)
  const {
    'retry.linkerd.io/limit': limit = '1',
    'retry.linkerd.io/timeout': tries,
    'timeout.linkerd.io/request': request,
  } = annotations
  const perTry = tries === undefined ? {} : { perTryTimeout: neutralDuration(tries) }
  return present({
    retries: on && { attempts: Number(limit), ...perTry, on, ...(isGrpc ? {} : { nonIdempotent: true }) },
    timeout: request === undefined ? undefined : neutralDuration(request),
  })
}

const SAYING = /^(retry|timeout)\.linkerd\.io\//

/** By port: what becomes of each match, and what annotations say. */
function meaning(service: KubeService, objects: readonly KubeObject[], seen: SeenObjects): Meaning {
  const selectors = selectorsIn(service.namespace, seen, objects)
  const object = { apiVersion: 'v1', kind: 'Service', namespace: service.namespace, name: service.name }
  const topics = service.ports.map(({ port }) => {
    const routes = objects.filter((object) => isRoute(object) && onPort(object, port))
    const parent = { name: service.name, port }
    const statements = routes.flatMap((route) => [...ruleStatements(route, selectors, parent), ...furtherOf(route)])
    // Without a route requests go to all Pods of the Service.
    const key = canonicalJson(plainMatch({}))
    const plain: Statement = {
      key,
      value: { route: { [backendText(parent, selectors)]: 100 } },
      at: { object, pointer: '' },
    }
    return [`requests on port ${port}`, { statements: statements.length === 0 ? [plain] : statements }] as const
  })
  return Object.fromEntries(topics)
}

function furtherOf(route: KubeObject): readonly Statement[] {
  const object = refOf(route)
  const { parentRefs: _, rules: _r, ...more } = route.spec ?? {}
  const said = Object.entries(route.metadata.annotations ?? {}).filter(([key]) => SAYING.test(key))
  return [
    ...said.map(([key, value]) => ({
      key,
      value: { [key]: goDurationMs(value) ?? value },
      at: { object, pointer: '/metadata/annotations' },
    })),
    ...Object.entries(more).map(([field, value]) => ({
      key: field,
      value: { [field]: value },
      at: { object, pointer: '/spec' },
    })),
  ]
}
