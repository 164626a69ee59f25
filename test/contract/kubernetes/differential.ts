import type { Answer, Body, Connection, Kind } from './client.ts'
import { applyType, collections, jsonPatchType, mergeType, objectOf, send, sendJson } from './client.ts'

/** Draws from a seeded sequence (mulberry32), so that a seed always tells the same story. */
export interface Draw {
  (below: number): number
  pick<T>(items: readonly T[]): T
  chance(perCent: number): boolean
}

export function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  const draw = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
  return Object.assign(draw, {
    pick<T>(items: readonly T[]): T {
      const item = items[draw(items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
    chance: (perCent: number) => draw(100) < perCent,
  })
}

/** One request of a story; `live` is the object as the server last gave it. */
export interface Step {
  readonly text: string
  readonly run: (connection: Connection, live: Body | undefined) => Promise<Answer>
}

const kinds: readonly Kind[] = [
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'ConfigMap',
  'Service',
  'Deployment',
]

/**
 * A story: two appliers and two updaters at work on one object for `length` requests.
 * Everything they write is valid by the types' schemas, which the emulator does not check.
 */
export function story(seed: number, length: number): { kind: Kind; name: string; steps: Step[] } {
  const draw = drawFrom(seed)
  const kind = draw.pick(kinds)
  const name = `story-${seed}`
  return { kind, name, steps: Array.from({ length }, () => step(draw, kind, name)) }
}

function step(draw: Draw, kind: Kind, name: string): Step {
  const path = (connection: Connection) => `${collections[kind](connection.namespace)}/${name}`
  const parts = contentOf(draw, kind)
  const object = objectOf(kind, name, parts)
  const action = draw(100)
  const writesStatus = kind === 'VirtualService' || kind === 'Deployment'
  if (action < 8 && writesStatus) return statusStep(draw, kind, name, path)
  if (action < 55) {
    const query = new URLSearchParams({ fieldManager: draw.pick(['red', 'blue']) })
    if (draw.chance(45)) query.set('force', 'true')
    if (draw.chance(8)) query.set('dryRun', 'All')
    return {
      text: `apply ${query} ${JSON.stringify(parts)}`,
      run: (connection) => sendJson(connection, 'PATCH', `${path(connection)}?${query}`, object, applyType),
    }
  }
  const updater = draw.pick(['green', 'grey'])
  const query = `fieldManager=${updater}`
  if (action < 65) return putStep(`${query}`, path, object)
  if (action < 82) {
    const patch = draw.chance(20) ? { metadata: { labels: null, annotations: null } } : parts
    return {
      text: `merge ${query} ${JSON.stringify(patch)}`,
      run: (connection) => sendJson(connection, 'PATCH', `${path(connection)}?${query}`, patch, mergeType),
    }
  }
  if (action < 90) {
    const operations = [{ op: 'add', path: '/metadata/labels', value: { a: draw.pick(['1', '2']) } }]
    return {
      text: `json ${query} ${JSON.stringify(operations)}`,
      run: (connection) => sendJson(connection, 'PATCH', `${path(connection)}?${query}`, operations, jsonPatchType),
    }
  }
  if (action < 94) {
    return { text: 'delete', run: (connection) => send(connection, path(connection), { method: 'DELETE' }) }
  }
  return {
    text: `post ${query} ${JSON.stringify(parts)}`,
    run: (connection) => sendJson(connection, 'POST', `${collections[kind](connection.namespace)}?${query}`, object),
  }
}

/** A controller's write to the status: what it says of anything else is lost. */
function statusStep(draw: Draw, kind: Kind, name: string, path: (connection: Connection) => string): Step {
  const conditions = [{ type: draw.pick(['Available', 'Progressing']), status: draw.pick(['True', 'False']) }]
  const counts =
    kind === 'Deployment' ? { replicas: 3, ...some(draw, { readyReplicas: [1, 2] }) } : { seen: { by: name } }
  const status = { ...(draw.chance(60) ? { conditions } : {}), ...counts }
  const object = objectOf(kind, name, { ...contentOf(draw, kind), metadata: {}, status })
  const [type, query] = draw.chance(50)
    ? [applyType, 'fieldManager=red&force=true']
    : [mergeType, `fieldManager=${draw.pick(['green', 'controller'])}`]
  return {
    text: `status ${query} ${JSON.stringify(object)}`,
    run: (connection) => sendJson(connection, 'PATCH', `${path(connection)}/status?${query}`, object, type),
  }
}

function putStep(query: string, path: (connection: Connection) => string, object: Record<string, unknown>): Step {
  return {
    text: `put ${query} ${JSON.stringify(object)}`,
    run(connection, live) {
      const resourceVersion = live?.metadata.resourceVersion
      const metadata = { ...(object.metadata as object), ...(resourceVersion ? { resourceVersion } : {}) }
      return sendJson(connection, 'PUT', `${path(connection)}?${query}`, { ...object, metadata })
    },
  }
}

function contentOf(draw: Draw, kind: Kind): Record<string, unknown> {
  const labels = some(draw, { a: ['1', '2'], b: ['1', '2'], 'x.io/c': ['1'] })
  const annotations = some(draw, { note: ['p', 'q'], 'x.io/rev': ['1', '2', '3'] })
  const metadata = {
    ...(draw.chance(60) && Object.keys(labels).length > 0 ? { labels } : {}),
    ...(draw.chance(50) && Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(draw.chance(5) ? { finalizers: [draw.pick(['x.io/a', 'x.io/b'])] } : {}),
  }
  return { ...(Object.keys(metadata).length > 0 ? { metadata } : {}), ...bodies[kind](draw) }
}

const bodies: Readonly<Record<Kind, (draw: Draw) => Record<string, unknown>>> = {
  ConfigMap: (draw) => ({
    data: some(draw, { a: ['1', '2', '3'], b: ['1', '2'], c: ['1'] }),
    ...(draw.chance(20) ? { binaryData: some(draw, { z: ['YQ==', 'Yg=='] }) } : {}),
  }),
  Secret: (draw) => ({ data: some(draw, { a: ['YQ==', 'Yg=='] }) }),
  Pod: () => ({ spec: { containers: [{ name: 'a', image: 'a:1' }] } }),
  Service: (draw) => ({
    spec: {
      ports: [
        { name: 'http', port: 80, ...some(draw, { targetPort: [80, 8080, 9090], protocol: ['TCP'] }) },
        ...(draw.chance(40) ? [{ name: 'admin', port: 81, ...some(draw, { targetPort: [81, 8081] }) }] : []),
        ...(draw.chance(30) ? [{ name: 'dns', port: 53, protocol: 'UDP' }] : []),
      ],
      ...(draw.chance(50) ? { selector: some(draw, { app: ['a', 'b'], tier: ['x'] }) } : {}),
      ...some(draw, { sessionAffinity: ['None', 'ClientIP'], publishNotReadyAddresses: [true] }),
    },
  }),
  Deployment: (draw) => ({
    spec: {
      ...some(draw, { replicas: [1, 2, 3], minReadySeconds: [5, 6] }),
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app: 'a', ...some(draw, { tier: ['x', 'y'] }) } },
        spec: { containers: containersOf(draw), ...some(draw, { terminationGracePeriodSeconds: [10, 20] }) },
      },
    },
  }),
  VirtualService: (draw) => ({
    spec: {
      hosts: [draw.pick(['web', 'api'])],
      ...(draw.chance(30) ? { gateways: ['mesh'] } : {}),
      ...(draw.chance(30) ? { exportTo: [draw.pick(['.', '*'])] } : {}),
      ...(draw.chance(80) ? { http: [route(draw)] } : {}),
    },
  }),
  DestinationRule: (draw) => ({
    spec: {
      host: 'web',
      ...(draw.chance(70) ? { trafficPolicy: trafficPolicy(draw) } : {}),
      ...(draw.chance(50) ? { subsets: [{ name: draw.pick(['v1', 'v2']), labels: { version: 'v1' } }] } : {}),
      ...(draw.chance(20) ? { workloadSelector: { matchLabels: some(draw, { app: ['a', 'b'], tier: ['x'] }) } } : {}),
    },
  }),
  ServiceEntry: (draw) => ({
    spec: {
      hosts: ['web.example.com'],
      ...(draw.chance(70) ? { ports: portsOf(draw) } : {}),
      ...some(draw, { location: ['MESH_EXTERNAL', 'MESH_INTERNAL'], resolution: ['DNS'] }),
    },
  }),
}

function route(draw: Draw): Record<string, unknown> {
  const weight = draw.pick([0, 10, 50, 100])
  const to = (subset: string, share: number) => ({ destination: { host: 'web', subset }, weight: share })
  return { ...some(draw, { timeout: ['5s', '10s'] }), route: [to('v1', 100 - weight), to('v2', weight)] }
}

function trafficPolicy(draw: Draw): Record<string, unknown> {
  return {
    ...(draw.chance(50)
      ? {
          connectionPool: {
            ...(draw.chance(60) ? { tcp: some(draw, { maxConnections: [1, 2], connectTimeout: ['1s', '2s'] }) } : {}),
            ...(draw.chance(60) ? { http: some(draw, { maxRetries: [1, 2], http1MaxPendingRequests: [3] }) } : {}),
          },
        }
      : {}),
    ...(draw.chance(50) ? { outlierDetection: some(draw, { consecutive5xxErrors: [1, 2], interval: ['1s'] }) } : {}),
    ...(draw.chance(30) ? { loadBalancer: { simple: draw.pick(['ROUND_ROBIN', 'RANDOM']) } } : {}),
  }
}

function containersOf(draw: Draw): unknown[] {
  const env = () => (draw.chance(50) ? { env: [{ name: draw.pick(['A', 'B']), value: draw.pick(['1', '2']) }] } : {})
  const ports = () => (draw.chance(40) ? { ports: [{ containerPort: draw.pick([80, 81]) }] } : {})
  const one = (name: string) => ({ name, image: draw.pick([`${name}:1`, `${name}:2`, name]), ...env(), ...ports() })
  const all = ['main', ...(draw.chance(40) ? ['side'] : [])].map(one)
  return draw.chance(30) ? all.reverse() : all
}

function portsOf(draw: Draw): unknown[] {
  const all = [
    { name: 'http', number: draw.pick([80, 8080]), protocol: 'HTTP' },
    ...(draw.chance(50) ? [{ name: 'tls', number: draw.pick([443, 8443]), ...some(draw, { protocol: ['TLS'] }) }] : []),
  ]
  return draw.chance(30) ? all.reverse() : all
}

/** Some of the fields, each with one of its values. */
function some(draw: Draw, fields: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown> {
  const chosen = Object.entries(fields).filter(() => draw.chance(60))
  return Object.fromEntries(chosen.map(([field, values]) => [field, draw.pick(values)]))
}

/** What two servers must agree on after one step: the answer, the object after it, and whether it was written. */
export interface Observation {
  readonly answer: unknown
  readonly after: unknown
  readonly written: boolean
}

/** Runs a story on one server from nothing to its end, and cleans up. */
export async function runStory(
  connection: Connection,
  { kind, name, steps }: ReturnType<typeof story>,
): Promise<Observation[]> {
  const path = `${collections[kind](connection.namespace)}/${name}`
  const observations: Observation[] = []
  let live: Answer | undefined
  for (const { run } of steps) {
    const before = live?.status === 200 ? live.body : undefined
    const answer = await run(connection, before)
    if (isRefusedBySchema(answer)) break
    live = await send(connection, path)
    const written = before?.metadata.resourceVersion !== live.body.metadata.resourceVersion
    const namespace = new RegExp(`\\b${connection.namespace}\\b`, 'g')
    observations.push({
      answer: { status: answer.status, body: comparable(answer.body, namespace) },
      after: { status: live.status, body: comparable(live.body, namespace) },
      written,
    })
  }
  await sendJson(connection, 'PATCH', path, { metadata: { finalizers: null } }, mergeType)
  await send(connection, path, { method: 'DELETE' })
  return observations
}

/** What the schema forbids the emulator may accept: such a step ends the story. */
function isRefusedBySchema({ status, body }: Answer): boolean {
  const schemaReasons = ['FieldValueRequired', 'FieldValueTypeInvalid', 'FieldValueDuplicate', 'FieldValueNotSupported']
  const causes = body.details?.causes ?? []
  return status === 422 && causes.some(({ reason }) => schemaReasons.includes(reason))
}

/** Names that differ between servers for no reason of behaviour. */
const chance = ['uid', 'resourceVersion', 'creationTimestamp', 'clusterIP', 'clusterIPs']
const instants = ['deletionTimestamp', 'time']

/** The value without what chance and time decide; lists whose order the real server draws by lot are sorted. */
function comparable(value: unknown, namespace: RegExp): unknown {
  if (typeof value === 'string')
    return value.replace(namespace, 'NAMESPACE').replace(/[0-9a-f]{8}(-[0-9a-f]+){4}/g, 'UID')
  if (Array.isArray(value)) return value.map((item) => comparable(item, namespace))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !chance.includes(name))
  const result = kept.map(([name, item]): [string, unknown] => {
    if (instants.includes(name)) return [name, 'INSTANT']
    const inner = comparable(item, namespace)
    return [name, Array.isArray(inner) && (name === 'managedFields' || name === 'causes') ? sorted(inner) : inner]
  })
  return Object.fromEntries(result.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function sorted(list: unknown[]): unknown[] {
  return list
    .map((item) => JSON.stringify(item))
    .sort()
    .map((item) => JSON.parse(item))
}
