import { describeRef, type KubeObject, refOf } from '../../../model/kube.ts'
import { GRPC_ROUTE, HTTP_ROUTE, isRoute } from '../../http-route/names.ts'
import { backendsOfRoute, contains, selectorsIn, versionsByBackend } from '../../http-route/read/backends.ts'
import { readRules } from '../../http-route/read/read-rules.ts'
import { ruleStatements } from '../../http-route/read/rules-meaning.ts'
import { importFinding } from '../../read/codes.ts'
import { foldPorts } from '../../read/fold-ports.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { Meaning, Statement } from '../../read/meaning.ts'
import type { Chosen, Reader, Reading, SeenObjects } from '../../read/reader.ts'
import { type Fields, fieldsOf, listOf, stringsOf } from '../../read/values.ts'

/** Routes of the Gateway API on Gateways, that others wrote. */
export const gatewayApiReader: Reader = {
  kinds: [HTTP_ROUTE, GRPC_ROUTE],
  choose,
  left: (seen, taken) =>
    seen.objects
      .filter((object) => !taken.has(object))
      .map((object) => {
        const name = describeRef(refOf(object))
        return importFinding('Unattached', `${name} leads to no one Service of its namespace.`, { object: name })
      }),
  read,
  meaning,
  standsAlone: {},
}

/** The Gateways that a route names. */
function parentsOf({ spec, metadata }: KubeObject): readonly Fields[] {
  return listOf(spec?.parentRefs)
    .filter(({ kind = 'Gateway' }) => kind === 'Gateway')
    .map((parent) => ({ ...parent, namespace: parent.namespace ?? metadata.namespace }))
}

function choose(service: KubeService, seen: SeenObjects): Chosen | undefined {
  const objects = seen.objects.filter(
    (object) =>
      isRoute(object) &&
      parentsOf(object).length > 0 &&
      ownerOf(object, seen) === service.name &&
      object.metadata.namespace === service.namespace,
  )
  return objects.length === 0 ? undefined : { objects, idle: [], findings: [] }
}

/** The Service of a route: its only backend, else the closest one that chooses the Pods of all its backends. */
function ownerOf(route: KubeObject, seen: SeenObjects): string | undefined {
  const { namespace = '' } = route.metadata
  const backends = backendsOfRoute(route)
  if (backends.length <= 1) return backends[0]
  const selectors = selectorsIn(namespace, seen)
  const chosen = backends.map((name) => selectors(name) ?? {})
  const fits = seen.services
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map(({ metadata, spec }) => ({ name: metadata.name, selector: fieldsOf(spec?.selector) }))
    .filter(({ selector }) => Object.keys(selector).length > 0 && chosen.every((other) => contains(other, selector)))
  const size = ({ selector }: { readonly selector: Fields }) => Object.keys(selector).length
  return fits.toSorted((a, b) => size(b) - size(a) || (a.name < b.name ? -1 : 1))[0]?.name
}

function read(service: KubeService, objects: readonly KubeObject[], seen: SeenObjects): Reading {
  const backends = [...new Set(objects.flatMap(backendsOfRoute))].sort()
  const versions = versionsByBackend(service, backends, selectorsIn(service.namespace, seen))
  const rules = objects.map((route) => ({ route, ...readRules(route, versions) }))
  const [first] = rules
  const weights = first?.weights ?? {}
  const [heaviest] = Object.entries(weights).toSorted(([, a], [, b]) => b - a)
  const ports = portsOf(service, objects)
  const exposure = rules.flatMap(({ route, base }) => exposuresOf(route, base, { ports, seen }))
  const traffic = {
    ...(Object.keys(weights).length > 1 ? { weights } : {}),
    ...(first && ports[0] ? foldPorts([{ port: ports[0], routes: first.routes }]) : {}),
  }
  return {
    draft: {
      ports,
      versions: versions.versions,
      initialVersion: heaviest?.[0] ?? Object.keys(versions.versions)[0],
      workload: { labels: service.selector },
      ...(Object.keys(traffic).length === 0 ? {} : { traffic }),
      ...(exposure.length === 0 ? {} : { exposure }),
    },
    findings: objects.flatMap((route) => unnamedGateways(route, seen)),
  }
}

/** HTTP ports of a GRPCRoute speak gRPC. Those of TCP are nothing to a Gateway. */
function portsOf({ ports }: KubeService, objects: readonly KubeObject[]): KubeService['ports'] {
  const numbers = new Set(
    objects.flatMap((route) =>
      listOf(route.spec?.rules).flatMap(({ backendRefs }) => listOf(backendRefs).map(({ port }) => port)),
    ),
  )
  const isGrpc = objects.some(({ kind }) => kind === GRPC_ROUTE.kind)
  return ports
    .filter(({ protocol, port }) => protocol !== 'tcp' && (numbers.size === 0 || numbers.has(port)))
    .map((port) => (isGrpc ? { ...port, protocol: 'grpc' } : port))
}

interface Scene {
  readonly ports: KubeService['ports']
  readonly seen: SeenObjects
}

function exposuresOf(route: KubeObject, base: string, { ports, seen }: Scene): readonly Fields[] {
  return parentsOf(route).flatMap((parent) => {
    const gateway = gatewayOf(parent, seen)
    if (gateway === undefined) return []
    return stringsOf(route.spec?.hostnames).map((host) => ({
      gateway,
      host,
      path: base,
      ...(ports.length > 1 ? { port: ports[0]?.name } : {}),
    }))
  })
}

/** The name by which the cluster knows a Gateway. */
function gatewayOf({ namespace, name, sectionName }: Fields, { gateways = {} }: SeenObjects): string | undefined {
  const found = Object.entries(gateways).find(
    ([, gateway]) => gateway.namespace === namespace && gateway.name === name && gateway.listener === sectionName,
  )
  return found?.[0]
}

function unnamedGateways(route: KubeObject, seen: SeenObjects) {
  const object = describeRef(refOf(route))
  return parentsOf(route)
    .filter((parent) => gatewayOf(parent, seen) === undefined)
    .map(({ namespace, name }) => {
      const message = `${object} is at Gateway ${String(namespace)}/${String(name)}, which the cluster does not name.`
      return importFinding('GatewayUnnamed', message, { object, field: '/spec/parentRefs' })
    })
}

/** By Gateway and host: what becomes of each match. */
function meaning(service: KubeService, objects: readonly KubeObject[], seen: SeenObjects): Meaning {
  const selectors = selectorsIn(service.namespace, seen, objects)
  const topics = new Map<string, Statement[]>()
  for (const route of objects.filter(isRoute)) {
    const statements = [...ruleStatements(route, selectors), ...furtherOf(route)]
    for (const parent of parentsOf(route)) {
      const { group: _, kind: _k, namespace, name, sectionName, ...more } = parent
      for (const host of [
        ...stringsOf(route.spec?.hostnames),
        ...(stringsOf(route.spec?.hostnames).length === 0 ? ['*'] : []),
      ]) {
        const topic = `${route.kind} of ${host} at ${String(namespace)}/${String(name)} ${JSON.stringify([sectionName, more])}`
        topics.set(topic, [...(topics.get(topic) ?? []), ...statements])
      }
    }
  }
  return Object.fromEntries([...topics].map(([topic, statements]) => [topic, { statements }]))
}

function furtherOf(route: KubeObject): readonly Statement[] {
  const { parentRefs: _, hostnames: _h, rules: _r, ...more } = route.spec ?? {}
  return Object.entries(more).map(([field, value]) => ({
    key: field,
    value: { [field]: value },
    at: { object: refOf(route), pointer: '/spec' },
  }))
}
