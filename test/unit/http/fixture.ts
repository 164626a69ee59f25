import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { handle } from '../../../src/http/handle.ts'
import type { HttpDeps } from '../../../src/http/http-deps.ts'
import type { HttpRequest } from '../../../src/http/message.ts'
import type { ClusterSpec } from '../../../src/model/cluster.ts'
import type { ClusterDocument, PlacementDocument, ServiceDocument, TeamDocument } from '../../../src/model/documents.ts'
import type { Caller, Role } from '../../../src/model/identity.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import type { OutgoingMessage } from '../../../src/ports/messenger.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { NO_TELEMETRY } from '../../../src/ports/telemetry.ts'
import type { Plan } from '../../../src/reconcile/plan.ts'
import { FakeManagedClusters } from '../fakes/fake-managed-clusters.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { MemoryVaults } from '../fakes/memory-vault.ts'
import { checkDocumented } from './documented.ts'

export const TENANT = '99999999-0000-4000-8000-000000000001'
export const ISSUER = `https://login.example/${TENANT}/v2.0`
export const AUDIENCE = 'api://meshwright'
export const SHOP_GROUP = '11111111-0000-4000-8000-000000000001'
export const OTHER_GROUP = '11111111-0000-4000-8000-000000000002'
export const SLACK_SECRET = 'slack-signing-secret'
export const TEAMS_TOKEN = Buffer.from('teams-security-token').toString('base64')
export const ALERT_SECRET = 'a-secret-of-monitors'
export const EVENT_GRID_KEY = 'event-grid-key-of-tests'
export const START = Date.UTC(2030, 0, 1)

const keys = await generateKeyPair('ES256', { extractable: true })
export const KEY_ID = 'k1'
export const publicJwk = { ...(await exportJWK(keys.publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' }

export interface Claims extends JWTPayload {
  readonly roles?: readonly string[]
}

/** A token as Entra ID would issue it at START, with `claims` in place of the usual ones. */
export function tokenOf(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
  const now = START / 1000
  const usual = {
    iss: ISSUER,
    aud: AUDIENCE,
    iat: now,
    nbf: now,
    exp: now + 3600,
    tid: TENANT,
    oid: '22222222-0000-4000-8000-000000000001',
    sub: 'pairwise',
    name: 'Dana',
    roles: ['Mesh.Admin'],
    groups: [],
  }
  const payload = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined))
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: KEY_ID, ...header }).sign(keys.privateKey)
}

/** Time that passes only while someone sleeps; `onSleep` is what happens meanwhile. */
export class SleepyClock {
  time = START
  onSleep: () => void | Promise<void> = () => undefined
  slept: number[] = []

  now(): number {
    return this.time
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.time += durationMs
    this.slept.push(durationMs)
    await this.onSleep()
    signal?.throwIfAborted()
  }
}

export interface Call {
  readonly body?: unknown
  /** In place of the JSON of `body`. */
  readonly raw?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly roles?: readonly Role[]
  readonly claims?: Readonly<Record<string, unknown>>
  /** null: none. */
  readonly token?: string | null
  readonly signal?: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** Of many forms: tests look into it as they please. */
  readonly json: ReturnType<typeof JSON.parse>
  readonly stream?: AsyncIterable<string>
}

export interface World {
  readonly store: MemoryStore
  readonly clock: SleepyClock
  readonly deps: HttpDeps
  /** What carryOut, advance and plan were called with, and what was logged. */
  readonly seen: {
    carried: string[]
    advanced: string[]
    planned: string[]
    logged: string[]
    sent: OutgoingMessage[]
    rotated: string[]
    queued: string[]
  }
  /** Whom the directory knows, by object id. */
  readonly people: Map<string, Caller>
  readonly api: { unreachable: boolean; denied: readonly string[] }
  call(method: string, path: string, call?: Call): Promise<Reply>
}

/** The way in, on a store in memory. Every answer is held against the OpenAPI document. */
export function createWorld(): World {
  const store = new MemoryStore()
  const clock = new SleepyClock()
  const seen: World['seen'] = { carried: [], advanced: [], planned: [], logged: [], sent: [], rotated: [], queued: [] }
  const people = new Map<string, Caller>()
  const api: World['api'] = { unreachable: false, denied: [] }
  let uuids = 0
  const deps: HttpDeps = {
    store,
    clock,
    random: { next: () => 0.5, uuid: () => uuidOf(++uuids) },
    clusters: { connect: async ({ spec }) => connect(spec, api) },
    metrics: {
      open: async () => undefined,
      openCounts: async () => undefined,
      openValues: async () => undefined,
      queryProblem: async () => undefined,
      timing: () => ({ delayMs: 30_000, everyMs: 10_000 }),
    },
    managedClusters: new FakeManagedClusters(),
    addresses: { refusal: async (url) => (url.includes('evil') ? 'the host is not in the settings' : undefined) },
    tokenKeys: createLocalJWKSet({ keys: [publicJwk] }),
    auth: { issuers: [ISSUER, `https://sts.example/${TENANT}/`], audiences: [AUDIENCE], tenantId: TENANT },
    caps: { perCluster: 10, inAll: 30 },
    telemetry: NO_TELEMETRY,
    logger: { log: (level, event, fields) => seen.logged.push(`${level} ${event} ${JSON.stringify(fields)}`) },
    carryOut: async (service, cluster) => void seen.carried.push(`${service} ${cluster}`),
    advance: async (service) => void seen.advanced.push(service),
    hooks: { slack: [SLACK_SECRET], teams: [TEAMS_TOKEN], alerts: [ALERT_SECRET], keyVault: [EVENT_GRID_KEY] },
    directory: { person: async (id) => people.get(id) },
    queue: { send: async (queue, message) => void seen.queued.push(`${queue} ${JSON.stringify(message)}`) },
    vaults: new MemoryVaults(() => clock.now()),
    vaultUrl: 'https://shop.vault.azure.net',
    messenger: { send: async (message) => void seen.sent.push(message) },
    rotate: async (name, note) => {
      seen.rotated.push(`${name} ${note}`.trim())
      return { ok: true, value: `Certificate ${name} is being rotated.` }
    },
    plan: async (service, cluster) => {
      seen.planned.push(`${service.namespace}/${service.name} ${cluster}`)
      return planOf(cluster)
    },
  }
  return { store, clock, seen, people, api, deps, call: (method, path, call) => send(deps, method, path, call) }
}

function planOf(cluster: string): Plan {
  const ref = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace: 'shop', name: 'web' }
  const diff = [{ path: 'spec.http', from: undefined, to: [{ timeout: '5s' }] }]
  const finding = {
    code: 'PortMissing',
    severity: 'error',
    field: '/ports/0/port',
    message: 'No port 80.',
    fix: 'Add it.',
  }
  const blocked = { reason: 'Observe', message: 'Cluster is in observe.' }
  return { cluster, changes: [{ ref, action: 'create', diff }], blocked, findings: [{ ...finding, severity: 'error' }] }
}

function uuidOf(count: number): string {
  return `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`
}

function connect(spec: ClusterSpec, api: World['api']): ClusterApi {
  if (spec.kubeconfig?.context === 'nowhere') {
    throw new PortError('invalid', 'kubeconfig', 'there is no context nowhere', { reason: 'UnknownContext' })
  }
  const unused = () => Promise.reject(new Error('not part of this cluster'))
  return {
    get: unused,
    list: unused,
    listMetadata: unused,
    apply: unused,
    remove: unused,
    podLog: unused,
    version: async () => 'v1.36.3',
    mayI: async ({ resource }) => {
      if (api.unreachable) throw new PortError('unavailable', 'Kubernetes', 'connection refused')
      return !api.denied.includes(resource)
    },
  }
}

async function send(deps: HttpDeps, method: string, target: string, call: Call = {}): Promise<Reply> {
  const [path = '', query = ''] = target.split('?')
  const bytes = bodyOf(call)
  const token =
    call.token === undefined
      ? await tokenOf({ ...(call.roles ? { roles: call.roles } : {}), ...call.claims })
      : call.token
  const headers = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...call.headers,
  }
  const request: HttpRequest = {
    method,
    path,
    query: new URLSearchParams(query),
    headers,
    baseUrl: 'https://mesh.example',
    body: async (most) => (bytes.byteLength > most ? undefined : bytes),
    ...(call.signal ? { signal: call.signal } : {}),
  }
  const { status, headers: answered, body } = await handle(deps, request)
  const reply = { status, headers: answered, text: typeof body === 'string' ? body : '' }
  const json = answered['content-type']?.includes('json') && reply.text !== '' ? JSON.parse(reply.text) : undefined
  checkDocumented(method, path, { ...reply, json })
  return { ...reply, json, ...(typeof body === 'object' ? { stream: body } : {}) }
}

function bodyOf(call: Call): Uint8Array {
  if (call.raw instanceof Uint8Array) return call.raw
  return new TextEncoder().encode(call.raw ?? (call.body === undefined ? '' : JSON.stringify(call.body)))
}

const AT = new Date(START).toISOString()
const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT } as const

export function teamDocument(name = 'shop', more: Partial<TeamDocument['spec']> = {}): TeamDocument {
  const spec = { namespaces: [name], groups: [name === 'shop' ? SHOP_GROUP : OTHER_GROUP], ...more }
  return { ...base, kind: 'team', name, spec, generation: 1, idempotency: [] }
}

export function clusterDocument(name = 'east', more: Partial<ClusterDocument> = {}): ClusterDocument {
  const spec: ClusterSpec = { kubeconfig: { context: name }, mode: 'manage', labels: { env: 'prod' } }
  return {
    ...base,
    kind: 'cluster',
    name,
    spec,
    generation: 1,
    observedGeneration: 1,
    conditions: [],
    attempts: 0,
    idempotency: [],
    ...more,
  }
}

export const WEB = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
  initialVersion: 'v1',
  clusters: ['east'],
} as const

export function serviceDocument(more: Partial<ServiceDocument> = {}): ServiceDocument {
  const { ports, versions, clusters, ...web } = structuredClone(WEB)
  return {
    ...base,
    kind: 'service',
    namespace: 'shop',
    name: 'web',
    spec: { ...web, ports: [...ports], versions, clusters: [...clusters], onDrift: 'restore', adopt: false },
    generation: 1,
    renderRevision: 10,
    targets: { east: { stable: 'v1' } },
    leaving: [],
    rollouts: [],
    idempotency: [],
    ...more,
  }
}

export function placementDocument(more: Partial<PlacementDocument> = {}): PlacementDocument {
  return {
    ...base,
    kind: 'placement',
    service: 'shop/web',
    cluster: 'east',
    observedGeneration: 1,
    liveRevision: 10,
    liveAt: AT,
    weights: { v1: 100 },
    rung: 'stored',
    versions: { v1: { ready: 2 }, v2: { ready: 0 } },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Live',
        message: 'It is live.',
        lastTransitionTime: AT,
        observedGeneration: 1,
      },
    ],
    objects: [
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        namespace: 'shop',
        name: 'web',
        uid: 'u1',
        generation: 1,
        hash: 'h',
        changedAt: AT,
      },
    ],
    restores: [],
    attempts: 0,
    ...more,
  }
}

/** A rollout of v2 at 10 % that has looked once. */
export function rollout(more: Partial<Rollout> = {}): Rollout {
  const actor = { kind: 'person', id: 'p', name: 'Dana' } as const
  const counts = { good: 99, bad: 1 }
  return {
    id: 'shop.web.aaaaaaaaaa',
    phase: 'progressing',
    reason: 'Waiting',
    message: 'Step 1 runs.',
    actor,
    candidate: 'v2',
    targets: [{ cluster: 'east', stable: 'v1', candidate: 'v2', weight: 10, observedWeight: 9.8 }],
    strategy: 'default',
    steps: [{ weight: 10, for: '2m' }],
    gates: [{ kind: 'errors', limitPercent: 1 }],
    bakeMs: 600_000,
    patienceMs: 1_800_000,
    readyTimeoutMs: 600_000,
    onBlind: 'pause',
    alpha: 0.01,
    minEvents: 50,
    step: 0,
    weight: 10,
    revision: 10,
    phaseSince: AT,
    weightSince: AT,
    progress: [
      {
        gate: 0,
        cluster: 'east',
        candidate: counts,
        stable: counts,
        stepCandidate: counts,
        stepStable: counts,
        maxE: 1.2,
        lookedAt: AT,
        last: {
          verdict: 'undecided',
          reason: 'NotClearYet',
          explanation: '1 of 100 failed.',
          candidate: counts,
          stable: counts,
          eValue: 1.2,
          pValue: 0.83,
          interval: [0, 0.1],
          alpha: 0.01,
          limitPercent: 1,
          needed: 300,
        },
      },
    ],
    warnings: [],
    history: [
      { from: 'pending', to: 'pending', at: AT, actor, reason: 'Started', message: 'Started.', step: -1, weight: 0 },
    ],
    startedAt: AT,
    updatedAt: AT,
    nextAttemptAt: AT,
    ...more,
  }
}

/** A team, a cluster and the service shop/web on it. */
export function shopWorld(more: Partial<ServiceDocument> = {}): World {
  const world = createWorld()
  world.store.put(teamDocument())
  world.store.put(clusterDocument())
  world.store.put(serviceDocument(more))
  world.store.put(placementDocument())
  return world
}
