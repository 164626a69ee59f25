import { SANDBOX_PROMETHEUS } from '../../../src/sandbox/azure-monitor-hosts.ts'
import { SANDBOX_SLACK_CHANNEL, SANDBOX_TEAMS_SECRET } from '../../../src/sandbox/chat-world.ts'
import { SANDBOX_GROUP } from '../../../src/sandbox/identities.ts'
import type { VersionSpec, ServiceSpec as WorldService } from '../../../src/sandbox/world/world-spec.ts'
import type { Called, Operation } from '../client.ts'
import type { Simulation } from '../simulation.ts'
import { clusterId, prometheusUrl } from '../surroundings.ts'
import { SLACK_USERS } from './messages.ts'

/** What every story begins with: a team, clusters, and pods of three versions of each service. */

export const VERSIONS = ['v1', 'v2', 'v3'] as const
export type Version = (typeof VERSIONS)[number]

export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

export const GOOD: VersionSpec = {
  pods: 2,
  errorPercent: 0.1,
  errorCode: 500,
  latencyMs: 20,
  silent: false,
  burst: null,
}

/** Some requests fit what rollouts match by. */
const KINDS = [
  { path: '/', headers: { 'x-preview': 'true' }, cookies: {}, percent: 10 },
  { path: '/', headers: {}, cookies: { group: 'b' }, percent: 10 },
  { path: '/beta/cart', headers: {}, cookies: {}, percent: 5 },
]

/** Puts a service with ready pods of all versions, and its callers, on each cluster. */
export function deploy({ surroundings }: Simulation, clusters: readonly string[], service: ServiceName): void {
  const versions = Object.fromEntries(VERSIONS.map((version) => [version, GOOD]))
  const callers = [{ workload: 'frontend', namespace: service.namespace, share: 1, meshed: true, requests: KINDS }]
  const spec: WorldService = { port: 80, protocol: 'http', versions, demand: { requestsPerSecond: 60, callers } }
  for (const cluster of clusters) surroundings.world.putService(refOf(cluster, service), spec)
}

/** Changes how a version behaves on a cluster. */
export function behave(
  { surroundings }: Simulation,
  cluster: string,
  service: ServiceName,
  version: Version,
  change: Partial<VersionSpec>,
): void {
  const ref = refOf(cluster, service)
  const spec = surroundings.world.cluster(cluster)?.services[`${service.namespace}/${service.name}`]
  if (!spec) return
  const versions = { ...spec.versions, [version]: { ...(spec.versions[version] ?? GOOD), ...change } }
  surroundings.world.putService(ref, { ...spec, versions })
}

export function refOf(cluster: string, { namespace, name }: ServiceName) {
  return { cluster, namespace, service: name }
}

/** Calls the API until it is done; throws when it refuses. */
export async function must({ client }: Simulation, operation: Operation): Promise<Called> {
  const called = await client.call(operation, 60)
  const { reply } = called
  if (!reply || reply.status >= 300) {
    throw new Error(`${operation.method} ${operation.path} answered ${JSON.stringify(reply ?? 'nothing')}`)
  }
  return called
}

/** Whose hosts certificates may serve, and where the team's people are. */
const WITH_CHAT = {
  hosts: ['*.example.com'],
  chat: { channel: SANDBOX_SLACK_CHANNEL, teamsSecret: SANDBOX_TEAMS_SECRET, slackUsers: SLACK_USERS },
}

export function putTeam({ surroundings }: Simulation): Operation {
  return {
    method: 'PUT',
    path: '/teams/shop',
    as: 'admin',
    body: { namespaces: ['shop'], groups: [SANDBOX_GROUP], ...(surroundings.azure ? WITH_CHAT : {}) },
  }
}

/** A strategy by which who starts a rollout may approve it too. */
export const RELAXED: Operation = {
  method: 'PUT',
  path: '/strategies/relaxed',
  as: 'admin',
  body: { steps: [{ weight: 30, for: '10s' }], gates: [{ kind: 'errors', limitPercent: 1 }], separateDuties: false },
}

export function putCluster({ surroundings }: Simulation, name: string, more: object = {}): Operation {
  const source =
    surroundings.arm && surroundings.azure
      ? { azureMonitor: { endpoint: `https://${SANDBOX_PROMETHEUS}` } }
      : { prometheus: { url: prometheusUrl(name) } }
  const metrics = { ...source, delay: '2s', every: '5s' }
  const way = surroundings.arm ? { resourceId: clusterId(name) } : { kubeconfig: { context: name } }
  const body = { ...way, labels: { env: 'prod', ring: name === 'east' ? 'canary' : 'rest' }, metrics, ...more }
  return { method: 'PUT', path: `/clusters/${name}`, as: 'operator', body }
}

/** A service with its first two versions; a third one may come with a rollout. */
export function serviceBody(
  clusters: readonly string[] | object,
  more: object = {},
): Readonly<Record<string, unknown>> {
  const versions = Object.fromEntries(['v1', 'v2'].map((version) => [version, { labels: { version } }]))
  const ports = [{ name: 'http', port: 80, protocol: 'http' }]
  return { team: 'shop', ports, versions, initialVersion: 'v1', clusters, ...more }
}

export function pathOf({ namespace, name }: ServiceName): string {
  return `/services/${namespace}/${name}`
}
