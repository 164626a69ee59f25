import type { EmulatorRequest, EmulatorResponse } from '../emulator.ts'
import { jsonResponse } from '../emulator.ts'
import type { User } from './access.ts'
import { authenticate, forbidden, forbiddenPath, mayAct, mayCall, reviewAccess } from './access.ts'
import type { Cluster } from './cluster.ts'
import { discover } from './discovery.ts'
import { answerObjects } from './objects.ts'
import type { Pager } from './paging.ts'
import { answerPodLog, isPodLog, type LogSource } from './pod-log.ts'
import type { Registry } from './registry.ts'
import { isBuiltInGroup } from './registry.ts'
import { readBody } from './request-options.ts'
import type { ResourceType } from './resource-type.ts'
import type { ResourcePath } from './routes.ts'
import { isAllowed, readResourcePath, verbOf } from './routes.ts'
import * as status from './status.ts'

/** What answers requests. */
export interface Server {
  readonly cluster: Cluster
  readonly pager: Pager
  readonly tokens: Readonly<Record<string, User>>
  /** For `/version`, for example `v1.34.2`. */
  readonly version: string
  readonly logOf: LogSource
}

/** Who asks, may they, what do they ask for: in this order, as the real server. Throws KubernetesError for a failure. */
export function answerRequest(server: Server, request: EmulatorRequest): EmulatorResponse {
  const user = authenticate(request, server.tokens)
  const path = readResourcePath(request.url.pathname)
  if (path) return answerResources(server, request, user, path)
  const { pathname } = request.url
  const verb = request.method.toLowerCase()
  if (!mayCall(user, verb, pathname)) throw forbiddenPath(user, verb, pathname)
  const found = discover(server.cluster.registry, server.version, pathname)
  if (verb !== 'get') throw status.methodNotAllowed()
  if (typeof found !== 'string') return jsonResponse(200, found)
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: found }
}

function answerResources(server: Server, request: EmulatorRequest, user: User, path: ResourcePath): EmulatorResponse {
  const verb = verbOf(request.method, path, request.url.searchParams)
  if (!verb) throw status.methodNotAllowed()
  const resource = path.subresource ? `${path.plural}/${path.subresource}` : path.plural
  const action = {
    verb,
    group: path.group,
    resource,
    namespace: path.namespace,
    name: path.name || listedName(request),
  }
  if (!mayAct(user, action)) throw forbidden(user, action)
  if (path.group === 'authorization.k8s.io' && path.plural === 'selfsubjectaccessreviews') {
    if (verb !== 'create') throw status.methodNotAllowed()
    return jsonResponse(201, reviewAccess(user, readBody(request, 'SelfSubjectAccessReview')))
  }
  const { cluster, pager } = server
  if (isPodLog(path)) {
    if (verb !== 'get') throw status.methodNotAllowed()
    return answerPodLog(cluster, path, request.url.searchParams, server.logOf)
  }
  const type = servedType(cluster.registry, path)
  if (!isAllowed(verb, path, type.namespaced)) throw status.methodNotAllowed()
  return answerObjects({ request, path, type, user, cluster, pager }, verb)
}

/** A list of one name is a question about that name: `metadata.name=NAME` alone or among others (RequestInfo of the real server). */
function listedName({ url }: EmulatorRequest): string {
  const [, name = ''] = /(?:^|,)metadata\.name==?([^,]+)/.exec(url.searchParams.get('fieldSelector') ?? '') ?? []
  return name
}

/** The type at a path; a path that gives a namespace to what has none, or none to what has one, is unknown. */
function servedType(registry: Registry, path: ResourcePath): ResourceType {
  const type = registry.find(path.group, path.version, path.plural)
  const unknown = isBuiltInGroup(registry, path.group) ? status.noSuchResource() : status.noSuchPath()
  if (!type) throw unknown
  const misplaced = type.namespaced ? path.name && !path.namespace : path.namespace && type.kind !== 'Namespace'
  if (misplaced) throw unknown
  if (!path.subresource || (path.subresource === 'status' && type.status)) return type
  throw type.custom ? status.notFound(type, path.name) : unknown
}
