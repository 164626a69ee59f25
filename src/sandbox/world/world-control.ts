import * as z from 'zod'
import {
  type Emulator,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonBody,
  jsonResponse,
} from '../emulators/emulator.ts'
import { observedTraffic } from './observed-traffic.ts'
import type { World } from './world.ts'
import {
  callerSpec,
  clusterPatch,
  clusterSpec,
  demandSpec,
  requestSpec,
  type ServiceRef,
  type ServiceSpec,
  serviceSpec,
  versionPatch,
  versionSpec,
} from './world-spec.ts'

/**
 * How people (and tests) play with the sandbox: JSON over HTTP, no tokens, for the loopback only.
 *
 * - `GET    /world`                                        everything, with what was observed in the last 30 s
 * - `PUT    /world/clusters/{c}`                           create, or set `reachable`, `answerMs`, `metrics`, `metricsDelayMs` anew
 * - `PATCH  /world/clusters/{c}`                           some of these
 * - `DELETE /world/clusters/{c}`
 * - `PUT    /world/clusters/{c}/services/{ns}/{name}`      `{ port?, protocol?, versions: { v1: {…} }, demand? }`
 * - `DELETE /world/clusters/{c}/services/{ns}/{name}`
 * - `PUT    …/services/{ns}/{name}/demand`                 `{ requestsPerSecond, callers? }`; a caller may have
 *   `requests`, kinds of them with `percent`, `path`, `headers`, `cookies`, and `clients` that keep the cookies they are given
 * - `PUT    …/services/{ns}/{name}/versions/{v}`           a version: labels, pods and behaviour
 * - `PATCH  …/services/{ns}/{name}/versions/{v}`           `{ errorPercent?, latencyMs?, silent?, pods?, burst?, … }`
 * - `DELETE …/services/{ns}/{name}/versions/{v}`
 * - `POST   …/services/{ns}/{name}/requests`               `{ count?, caller?, request? }`: single requests and their answers
 *
 * Beside it are `GET /world/chat`, what the emulated Slack and Teams got (`../chat-world.ts`), and `/world/azure/{c}`, what the
 * emulated Azure says of a cluster (`../managed-clusters.ts`); and `GET /world/linkerd/{c}` (`../linkerd-control.ts`).
 *
 * Answers 200 with what is now (`GET /world` form of the cluster or service), 204 for a delete, 400 with zod's issues, 404, 405.
 */
export function worldControl(world: World, now: () => number): Emulator {
  return async (request) => {
    const path = request.url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
    try {
      return answer(world, now, request, path)
    } catch (error) {
      if (error instanceof z.ZodError)
        return jsonResponse(400, { error: 'the body is not valid', issues: error.issues })
      if (error instanceof SyntaxError) return jsonResponse(400, { error: 'the body is no JSON' })
      throw error
    }
  }
}

const OBSERVED_MS = 30_000

function answer(world: World, now: () => number, request: EmulatorRequest, path: readonly string[]): EmulatorResponse {
  const [root, clusters, cluster, services, namespace, service, ...rest] = path
  if (root !== 'world') return notFound()
  if (clusters === undefined) {
    const all = Object.fromEntries(world.clusters().map((name) => [name, describeCluster(world, now, name)]))
    return request.method === 'GET' ? jsonResponse(200, { clusters: all }) : notAllowed()
  }
  if (clusters !== 'clusters' || cluster === undefined) return notFound()
  if (services === undefined) return answerCluster(world, now, request, cluster)
  if (services !== 'services' || namespace === undefined || service === undefined) return notFound()
  const ref = { cluster, namespace, service }
  const done = changeService(world, request, ref, rest)
  if (done !== undefined) return done
  const described = describeService(world, now, ref)
  return described === undefined ? notFound() : jsonResponse(200, described)
}

function answerCluster(world: World, now: () => number, request: EmulatorRequest, name: string): EmulatorResponse {
  const known = world.cluster(name)
  if (known === undefined && request.method !== 'PUT') return notFound()
  switch (request.method) {
    case 'GET':
      break
    case 'PUT':
      world.putCluster(name, clusterSpec.parse(optionalBody(request)))
      break
    case 'PATCH':
      world.putCluster(name, clusterSpec.parse({ ...known?.spec, ...clusterPatch.parse(jsonBody(request)) }))
      break
    case 'DELETE':
      world.deleteCluster(name)
      return noContent()
    default:
      return notAllowed()
  }
  return jsonResponse(200, describeCluster(world, now, name))
}

/** Carries a change out; the answer when it is not the service as it is now. */
function changeService(
  world: World,
  request: EmulatorRequest,
  ref: ServiceRef,
  [part, version, ...rest]: readonly string[],
): EmulatorResponse | undefined {
  const { method } = request
  if (part === undefined && method === 'PUT') {
    return world.putService(ref, serviceSpec.parse(jsonBody(request))) ? undefined : notFound()
  }
  const spec = world.cluster(ref.cluster)?.services[`${ref.namespace}/${ref.service}`]
  if (spec === undefined || rest.length > 0) return notFound()
  if (part === undefined) {
    if (method === 'GET') return undefined
    return method === 'DELETE' && world.deleteService(ref) ? noContent() : notAllowed()
  }
  if (part === 'demand' && version === undefined) {
    if (method !== 'PUT') return notAllowed()
    world.putService(ref, { ...spec, demand: demandSpec.parse(jsonBody(request)) })
    return undefined
  }
  if (part === 'requests' && version === undefined) return method === 'POST' ? send(world, request, ref) : notAllowed()
  return part === 'versions' && version !== undefined
    ? changeVersion(world, request, ref, { spec, version })
    : notFound()
}

function changeVersion(
  world: World,
  request: EmulatorRequest,
  ref: ServiceRef,
  { spec, version }: { readonly spec: ServiceSpec; readonly version: string },
): EmulatorResponse | undefined {
  const { [version]: known, ...others } = spec.versions
  const put = (body: unknown) => {
    // Through the service's schema, which holds the rule for names of versions.
    world.putService(ref, serviceSpec.parse({ ...spec, versions: { ...spec.versions, [version]: body } }))
    return undefined
  }
  if (request.method === 'PUT') return put(versionSpec.parse(optionalBody(request)))
  if (known === undefined) return notFound()
  if (request.method === 'PATCH')
    return put({ ...known, ...followMedian(known, versionPatch.parse(jsonBody(request))) })
  if (request.method !== 'DELETE') return notAllowed()
  world.putService(ref, { ...spec, versions: others })
  return noContent()
}

/** A new median takes a 99th per cent that was set before along, in proportion, unless that is given too. */
function followMedian(
  before: ServiceSpec['versions'][string],
  patch: z.infer<typeof versionPatch>,
): z.infer<typeof versionPatch> {
  if (patch.latencyMs === undefined || patch.latencyP99Ms !== undefined || before.latencyP99Ms === undefined)
    return patch
  return { ...patch, latencyP99Ms: (before.latencyP99Ms * patch.latencyMs) / before.latencyMs }
}

const sendBody = z.strictObject({
  count: z.number().int().min(1).max(1000).default(1),
  caller: callerSpec.optional(),
  request: requestSpec.optional(),
})

function send(world: World, request: EmulatorRequest, ref: ServiceRef): EmulatorResponse {
  const { count, caller, request: sent } = sendBody.parse(optionalBody(request))
  return jsonResponse(200, { value: Array.from({ length: count }, () => world.request(ref, caller, sent)) })
}

function describeCluster(world: World, now: () => number, name: string): unknown {
  const record = world.cluster(name)
  const refs = Object.keys(record?.services ?? {}).map((key) => key.split('/'))
  const services = refs.map(([namespace = '', service = '']) => {
    return [`${namespace}/${service}`, describeService(world, now, { cluster: name, namespace, service })] as const
  })
  return { ...record?.spec, services: Object.fromEntries(services) }
}

function describeService(world: World, now: () => number, ref: ServiceRef): unknown {
  const spec = world.cluster(ref.cluster)?.services[`${ref.namespace}/${ref.service}`]
  if (spec === undefined) return undefined
  const observed = observedTraffic(world.metrics(ref.cluster), ref, [now() - OBSERVED_MS, now()])
  const pods = world.pods(ref).map(({ name, version, ip }) => ({ name, version, ip }))
  return { ...spec, route: world.route(ref) ?? null, pods, observed }
}

function optionalBody(request: EmulatorRequest): unknown {
  return request.body.length === 0 ? {} : jsonBody(request)
}

function noContent(): EmulatorResponse {
  return { status: 204, headers: {}, body: '' }
}

function notFound(): EmulatorResponse {
  return jsonResponse(404, { error: 'no such cluster, service, version or path in the world' })
}

function notAllowed(): EmulatorResponse {
  return jsonResponse(405, { error: 'the method is not allowed here' })
}
