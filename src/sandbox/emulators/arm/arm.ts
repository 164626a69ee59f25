import {
  type Emulator,
  type EmulatorContext,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonResponse,
} from '../emulator.ts'
import * as errors from './errors.ts'
import { type ManagedCluster, nameOf, resourceOf } from './managed-cluster.ts'
import { revisionProfile, upgradeProfile } from './mesh-profiles.ts'
import { type BucketSize, tokenBuckets } from './token-buckets.ts'
import { userKubeconfig } from './user-credential.ts'

export interface ArmOptions {
  /** The tenant that the subscriptions trust. */
  readonly tenantId: string
  /** Whether a bearer token may manage resources: of the tenant, for https://management.azure.com, not over. */
  readonly acceptToken: (token: string) => Promise<boolean>
  /** Clusters on a page of a list. */
  readonly pageSize?: number
}

/** AKS clusters as Azure Resource Manager shows them. */
export interface ArmEmulator {
  readonly handle: Emulator
  /** Makes a cluster, or another of the one with its id. */
  put(cluster: ManagedCluster): void
  /** In any case of the id; undefined when there is none. */
  get(id: string): ManagedCluster | undefined
  remove(id: string): void
  /** The caller's roles on a cluster are taken away, or given back. */
  deny(id: string, denied: boolean): void
}

const PROVIDER = 'microsoft.containerservice'
/** Limits by what is asked, as in learn.microsoft.com/azure/aks/quotas-skus-regions#throttling-limits. */
const LIMITS = {
  get: { burst: 60, perSecond: 1 },
  listBySubscription: { burst: 500, perSecond: 1 },
  listByGroup: { burst: 60, perSecond: 1 },
  other: { burst: 60, perSecond: 1 },
} satisfies Record<string, BucketSize>

interface State {
  readonly options: ArmOptions
  readonly find: (id: string) => ManagedCluster | undefined
  readonly all: () => readonly ManagedCluster[]
  readonly isDenied: (id: string) => boolean
  /** Throws ArmError 429. */
  readonly throttle: (handler: string, subscription: string, scope: string, size: BucketSize) => void
}

/**
 * Azure Resource Manager for AKS: reads of managed clusters, their user credential and their mesh profiles, at
 * `https://management.azure.com`. What changes clusters is not there. Protocol: the REST reference of
 * Microsoft.ContainerService, as @azure/arm-containerservice sends it.
 */
export function armEmulator(context: EmulatorContext, options: ArmOptions): ArmEmulator {
  const table = context.storage.table('arm')
  const denied = context.storage.table('arm-denied')
  const buckets = tokenBuckets(context.now)
  const state: State = {
    options,
    find: (id) => table.get(id.toLowerCase()) as ManagedCluster | undefined,
    all: () => [...table.entries()].map(([, cluster]) => cluster as ManagedCluster),
    isDenied: (id) => denied.get(id.toLowerCase()) === true,
    throttle(handler, subscription, scope, size) {
      const seconds = buckets.take(`${handler} ${scope}`.toLowerCase(), size)
      if (seconds > 0) throw errors.throttled(handler, subscription, seconds)
    },
  }
  let requests = 0
  return {
    async handle(request) {
      const id = `00000000-0000-4000-9000-${String(++requests).padStart(12, '0')}`
      const headers = { 'x-ms-request-id': id, 'x-ms-correlation-request-id': id, 'cache-control': 'no-cache' }
      try {
        const response = await answer(request, state)
        return { ...response, headers: { ...headers, ...response.headers } }
      } catch (error) {
        if (!(error instanceof errors.ArmError)) throw error
        const response = errors.errorResponse(error)
        return { ...response, headers: { ...headers, ...response.headers } }
      }
    },
    put: (cluster) => table.put(cluster.id.toLowerCase(), cluster),
    get: state.find,
    remove: (id) => void table.delete(id.toLowerCase()),
    deny: (id, on) => (on ? denied.put(id.toLowerCase(), true) : void denied.delete(id.toLowerCase())),
  }
}

async function answer(request: EmulatorRequest, state: State): Promise<EmulatorResponse> {
  checkApiVersion(request.url)
  await checkToken(request, state.options)
  const parts = request.url.pathname.split('/').slice(1).map(decodeURIComponent)
  const [subscriptions, subscription = '', ...rest] = parts
  if (subscriptions?.toLowerCase() !== 'subscriptions') throw notServed(request)
  const known = state.all().some(({ id }) => isSame(nameOf(id).subscription, subscription))
  if (!known) throw errors.subscriptionNotFound(subscription)
  if (isSame(rest[0], 'resourceGroups')) return answerGroup(request, state, subscription, rest.slice(1))
  return answerSubscription(request, state, subscription, rest)
}

function answerSubscription(
  request: EmulatorRequest,
  state: State,
  subscription: string,
  parts: readonly string[],
): EmulatorResponse {
  const [providers, provider, kind, location = '', profiles, mode] = parts
  if (!isSame(providers, 'providers') || !isSame(provider, PROVIDER)) throw notServed(request)
  if (isSame(kind, 'managedClusters') && parts.length === 3) {
    only(request, 'GET')
    state.throttle('ListManagedClustersHandler.GET', subscription, subscription, LIMITS.listBySubscription)
    return list(request, state, ({ subscription: found }) => isSame(found, subscription))
  }
  if (!isSame(kind, 'locations') || !isSame(profiles, 'meshRevisionProfiles')) throw notServed(request)
  only(request, 'GET')
  state.throttle('GetMeshRevisionProfileHandler.GET', subscription, subscription, LIMITS.other)
  const profile = revisionProfile(subscription, location)
  return jsonResponse(200, mode === undefined ? { value: [profile] } : profile)
}

function answerGroup(
  request: EmulatorRequest,
  state: State,
  subscription: string,
  [group = '', providers, provider, kind, name, verb, mode]: readonly string[],
): EmulatorResponse {
  if (!isSame(providers, 'providers') || !isSame(provider, PROVIDER) || !isSame(kind, 'managedClusters')) {
    throw notServed(request)
  }
  const inGroup = (found: { subscription: string; resourceGroup: string }) =>
    isSame(found.subscription, subscription) && isSame(found.resourceGroup, group)
  if (!state.all().some(({ id }) => inGroup(nameOf(id)))) throw errors.groupNotFound(group)
  if (name === undefined) {
    only(request, 'GET')
    state.throttle(
      'ListManagedClustersByResourceGroupHandler.GET',
      subscription,
      `${subscription}/${group}`,
      LIMITS.listByGroup,
    )
    return list(request, state, inGroup)
  }
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.ContainerService/managedClusters/${name}`
  const cluster = state.find(id)
  if (verb === undefined) {
    only(request, 'GET')
    allow(state, id, 'Microsoft.ContainerService/managedClusters/read')
    state.throttle('GetManagedClusterHandler.GET', subscription, id, LIMITS.get)
    if (!cluster) throw errors.clusterNotFound(name, group)
    return jsonResponse(200, resourceOf(cluster))
  }
  if (isSame(verb, 'listClusterUserCredential')) return userCredential(request, state, id, cluster)
  if (!isSame(verb, 'meshUpgradeProfiles')) throw notServed(request)
  only(request, 'GET')
  allow(state, id, 'Microsoft.ContainerService/managedClusters/meshUpgradeProfiles/read')
  state.throttle('GetMeshUpgradeProfileHandler.GET', subscription, subscription, LIMITS.other)
  if (!cluster) throw errors.clusterNotFound(name, group)
  const profile = upgradeProfile(cluster)
  return jsonResponse(200, mode === undefined ? { value: [profile] } : profile)
}

function userCredential(
  request: EmulatorRequest,
  state: State,
  id: string,
  cluster: ManagedCluster | undefined,
): EmulatorResponse {
  const { subscription, resourceGroup, name } = nameOf(id)
  only(request, 'POST')
  allow(state, id, 'Microsoft.ContainerService/managedClusters/listClusterUserCredential/action')
  state.throttle('ListClusterUserCredentialHandler.POST', subscription, subscription, LIMITS.other)
  if (!cluster) throw errors.clusterNotFound(name, resourceGroup)
  const format = request.url.searchParams.get('format') ?? 'exec'
  if (format !== 'exec' && format !== 'azure') {
    throw new errors.ArmError(400, 'InvalidParameter', `The value of parameter format is invalid: ${format}`)
  }
  const value = Buffer.from(userKubeconfig(cluster, state.options.tenantId, format)).toString('base64')
  return jsonResponse(200, { kubeconfigs: [{ name: 'clusterUser', value }] })
}

function list(
  { url }: EmulatorRequest,
  { all, options, isDenied }: State,
  isIn: (name: ReturnType<typeof nameOf>) => boolean,
): EmulatorResponse {
  const { pageSize = 100 } = options
  const after = url.searchParams.get('$skiptoken') ?? ''
  // What the caller may not read is left out of lists.
  const rest = all().filter(({ id }) => isIn(nameOf(id)) && id.toLowerCase() > after && !isDenied(id))
  const value = rest.slice(0, pageSize)
  const last = value.at(-1)
  if (rest.length <= pageSize || last === undefined) return jsonResponse(200, { value: value.map(resourceOf) })
  const next = new URL(url)
  next.searchParams.set('$skiptoken', last.id.toLowerCase())
  return jsonResponse(200, { value: value.map(resourceOf), nextLink: next.href })
}

function checkApiVersion({ searchParams }: URL): void {
  const version = searchParams.get('api-version')
  if (version === null) {
    const message = 'The api-version query parameter (?api-version=) is required for all requests.'
    throw new errors.ArmError(400, 'MissingApiVersionParameter', message)
  }
  if (/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version)) return
  throw new errors.ArmError(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`)
}

async function checkToken({ headers }: EmulatorRequest, { acceptToken }: ArmOptions): Promise<void> {
  const [scheme = '', token = ''] = (headers.authorization ?? '').split(' ')
  if (scheme === '') {
    const message = "Authentication failed. The 'Authorization' header is missing."
    throw errors.unauthenticated(message, 'AuthenticationFailed')
  }
  if (scheme.toLowerCase() !== 'bearer') {
    throw errors.unauthenticated("The 'Authorization' header has another scheme.", 'AuthenticationFailedInvalidHeader')
  }
  if (!(await acceptToken(token))) {
    throw errors.unauthenticated('The access token is invalid.', 'InvalidAuthenticationToken')
  }
}

function allow({ isDenied }: State, id: string, action: string): void {
  if (isDenied(id)) throw errors.forbidden(action, id)
}

function only({ method }: EmulatorRequest, allowed: string): void {
  if (method === allowed) return
  throw new errors.ArmError(405, 'MethodNotAllowed', `This emulator does not do that: ${method}.`)
}

function notServed({ method, url }: EmulatorRequest): errors.ArmError {
  return new errors.ArmError(404, 'InvalidResourceType', `This emulator does not do that: ${method} ${url.pathname}`)
}

function isSame(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase()
}
