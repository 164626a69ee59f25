import type { TokenCredential } from '@azure/core-auth'
import type { HttpLibrary, KubeConfig } from '@kubernetes/client-node'
import type { ManagedClusterFacts } from '../../model/cluster.ts'
import { refusalOf } from '../../model/managed-cluster.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { ClusterEndpoint, ManagedClusters } from '../../ports/managed-clusters.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import { type KeptToken, keptToken } from '../kept-token.ts'
import type { SignIn } from './connection.ts'
import type { KeptAnswers } from './recent-answers.ts'

/** AKS's server application, the same in every tenant. */
const AKS_SCOPE = '6dae42f8-4368-4678-94ff-3960e28e3630/.default'
/** Where AKS has its API servers, public and private: the token goes nowhere else. */
const AKS_HOST = /\.azmk8s\.io$/
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])$/
/** What Azure said may be this old where a connection is opened. */
const doubtMs = 30_000

export interface AksSettings {
  readonly managed: ManagedClusters
  readonly credential: TokenCredential
  /** Azure is emulated: API servers are on loopback, by plain HTTP. */
  readonly emulated: boolean
}

/** Failures after which the cluster may have another address or CA, or may be stopped. */
const DOUBTFUL: readonly (string | undefined)[] = [
  'NameLookup',
  'Certificate',
  'ConnectionRefused',
  'NoRoute',
  'Timeout',
  'Unauthorized',
]

/** A connection as long as it works. */
interface Way {
  readonly endpoint: ClusterEndpoint
  readonly api: ClusterApi
  /** It failed since Azure was asked. */
  doubted: boolean
}

interface Cluster {
  readonly name: string
  readonly resourceId: string
}

/**
 * The ways to AKS clusters: endpoint and CA from Azure, an Entra token for each request. Azure is asked at the first
 * connect, and again after a failure that may mean another endpoint. While Azure does not answer, a way that is there stays.
 */
export function aksConnections(
  settings: AksSettings,
  clock: Clock,
  kept: KeptAnswers,
  http: HttpLibrary | undefined,
): (cluster: Cluster) => Promise<ClusterApi> {
  const ways = new Map<string, Way>()
  const opening = new Map<string, Promise<Way>>()
  const token = keptToken(settings.credential, AKS_SCOPE, 'Entra ID', clock)
  return async (cluster) => {
    const key = JSON.stringify([cluster.name, cluster.resourceId.toLowerCase()])
    const before = ways.get(key)
    if (before && !before.doubted) return before.api
    const open = opening.get(key) ?? openWay(settings, cluster, before, { clock, kept, http, token })
    opening.set(key, open)
    try {
      const way = await open
      ways.set(key, way)
      return way.api
    } finally {
      opening.delete(key)
    }
  }
}

interface Means {
  readonly clock: Clock
  readonly kept: KeptAnswers
  readonly http: HttpLibrary | undefined
  readonly token: KeptToken
}

async function openWay(settings: AksSettings, cluster: Cluster, before: Way | undefined, means: Means): Promise<Way> {
  const system = `Kubernetes ${cluster.name}`
  const told = await ask(settings.managed, cluster.resourceId, before, system)
  if (told === undefined && before) return before
  if (told === undefined)
    throw new PortError('unavailable', system, 'Azure does not answer', { reason: 'ArmUnavailable' })
  const { facts, endpoint } = told
  if (before && before.endpoint.server === endpoint.server && before.endpoint.caData === endpoint.caData) {
    before.doubted = false
    return before
  }
  checkServer(endpoint.server, settings.emulated, system)
  const [{ connectTo }, { kubernetesApi }] = await Promise.all([
    import('./connection.ts'),
    import('./kubernetes-api.ts'),
  ])
  const connection = await connectTo(await configOf(endpoint), {
    system,
    clock: means.clock,
    ...(means.http ? { http: means.http } : {}),
    signIn: bearer(means.token),
    failed(error) {
      if (DOUBTFUL.includes(error.reason)) way.doubted = true
      return explain(error, facts, endpoint)
    },
  })
  const way: Way = { endpoint, api: kubernetesApi(connection, means.clock, means.kept), doubted: false }
  return way
}

interface Told {
  readonly facts: ManagedClusterFacts
  readonly endpoint: ClusterEndpoint
}

/** Undefined while Azure does not answer and there is a way already. Throws PortError for a cluster that cannot be used. */
async function ask(
  managed: ManagedClusters,
  resourceId: string,
  before: Way | undefined,
  system: string,
): Promise<Told | undefined> {
  const orBefore = (error: unknown) => {
    if (before && isPortError(error, 'throttled', 'unavailable')) return undefined
    throw isPortError(error) ? outOfReach(error) : error
  }
  const facts = await managed.facts(resourceId, doubtMs).catch(orBefore)
  const refusal = facts && refusalOf(facts)
  if (refusal) {
    const kind = refusal.reason === 'ClusterStopped' ? 'unavailable' : 'denied'
    throw new PortError(kind, system, `${system} cannot be used: ${refusal.message}`, { reason: refusal.reason })
  }
  const endpoint = facts && (await managed.endpoint(resourceId, before ? doubtMs : undefined).catch(orBefore))
  return facts && endpoint ? { facts, endpoint } : undefined
}

/** What Azure does not give leaves the cluster out of reach; `not-found` and the like would be read as the cluster's word. */
function outOfReach(error: PortError): PortError {
  const { kind, system, message, reason, retryAfterMs } = error
  return new PortError(kind === 'denied' ? kind : 'unavailable', system, message, {
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function checkServer(server: string, emulated: boolean, system: string): void {
  const { protocol, hostname } = new URL(server)
  if (emulated && LOOPBACK.test(hostname)) return
  if (protocol !== 'https:') {
    throw new PortError('denied', system, 'the server of an AKS cluster must be https://', { reason: 'PlainHttp' })
  }
  if (AKS_HOST.test(hostname)) return
  const message = `the server ${hostname} is not one of AKS: no token goes there`
  throw new PortError('denied', system, message, { reason: 'ForeignHost' })
}

/** Plain HTTP, which only emulated servers speak, must be marked insecure; there is no certificate to check then. */
async function configOf({ server, caData }: ClusterEndpoint): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const skipTLSVerify = server.startsWith('http:')
  config.loadFromClusterAndUser({ name: 'aks', server, caData, skipTLSVerify }, { name: 'meshwright' })
  return config
}

function bearer(token: KeptToken): SignIn {
  return {
    headers: async () => ({ Authorization: `Bearer ${await token.get()}` }),
    refused: ({ Authorization = '' }) => token.refused(Authorization.slice('Bearer '.length)),
  }
}

/** A private cluster's name is known only where its private DNS zone is. */
function explain(error: PortError, facts: ManagedClusterFacts, { server }: ClusterEndpoint): PortError {
  if (error.reason !== 'NameLookup' || !facts.isPrivate) return error
  const { hostname } = new URL(server)
  const message = `${error.message}: ${hostname} is a private cluster's name. Integrate the app with a virtual network, and link the cluster's private DNS zone to that network`
  return new PortError('unavailable', error.system, message, { reason: 'PrivateNameLookup' })
}
