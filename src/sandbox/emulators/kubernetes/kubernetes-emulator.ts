import type { Emulator, EmulatorContext, EmulatorRequest } from '../emulator.ts'
import type { User } from './access.ts'
import { answerRequest, type Server } from './answer-request.ts'
import { builtInResources } from './built-in-resources.ts'
import type { Cluster } from './cluster.ts'
import type { KubernetesObject } from './json.ts'
import { pager } from './paging.ts'
import type { LogSource } from './pod-log.ts'
import { registryOf } from './registry.ts'
import type { ResourceType } from './resource-type.ts'
import type { SeedObject } from './seed.ts'
import { removeSeeded, seedNamespace, seedObject, typeOf } from './seed.ts'
import * as status from './status.ts'
import type { WriteListener } from './store.ts'
import { objectStore } from './store.ts'

type SignedIn = User | undefined | Promise<User | undefined>

export interface KubernetesOptions {
  /** Built-in types; the types of CRDs come from the CustomResourceDefinition objects on the cluster. */
  readonly resources?: readonly ResourceType[]
  /** Who holds which bearer token. */
  readonly tokens: Readonly<Record<string, User>>
  /** Who holds a token that is none of these: sign-in by another service, as AKS does with Entra ID. */
  readonly signIn?: (token: string) => SignedIn
  /** What `/version` answers, for example `v1.34.2`. */
  readonly version?: string
  /** Keeps clusters apart that share one storage. */
  readonly name?: string
}

/** One cluster's API server: what clients call, and what the world around it does without calling. */
export interface KubernetesEmulator {
  readonly handle: Emulator
  /** Writes objects as controllers and kubelets would (see `seedObject`). Definitions come before their objects. */
  seed(objects: readonly SeedObject[]): void
  /** Takes an object away at once; false when it was not there. */
  remove(apiVersion: string, kind: string, namespace: string, name: string): boolean
  /** Called after every stored change, seeds included, before the request that made it is answered. */
  onWrite(listener: WriteListener): void
  /** Where logs of Pods come from; each asked in turn, the last that was given first. */
  readLogs(source: LogSource): void
  /** Undefined when there is none. Throws Error for a kind that is not served. */
  get(apiVersion: string, kind: string, namespace: string, name: string): KubernetesObject | undefined
  /** In order of namespace and name; empty for a kind that is not served. */
  list(apiVersion: string, kind: string, namespace?: string): KubernetesObject[]
  /** Answers the next `requests` requests with 429. */
  throttle(requests: number, retryAfterSeconds: number): void
  /** Makes all continue tokens given out so far too old (410). */
  compact(): void
}

/** A Kubernetes API server over the storage of the context. */
export function kubernetesEmulator(context: EmulatorContext, options: KubernetesOptions): KubernetesEmulator {
  const store = objectStore(context.storage, options.name ?? 'kubernetes')
  const registry = registryOf(store, options.resources ?? builtInResources)
  const now = () => `${new Date(context.now()).toISOString().slice(0, 19)}Z`
  const cluster: Cluster = { store, registry, now, random: context.random }
  const pages = pager(context.now)
  const logs: LogSource[] = []
  const logOf: LogSource = (pod) =>
    logs.reduce<ReturnType<LogSource>>((found, source) => found ?? source(pod), undefined)
  const { tokens, version = 'v1.34.0' } = options
  const server: Server = { cluster, pager: pages, tokens, version, logOf }
  let throttled = { requests: 0, retryAfterSeconds: 0 }
  for (const name of ['default', 'kube-system']) seedNamespace(cluster, name)

  return {
    async handle(request) {
      if (throttled.requests > 0) {
        throttled = { ...throttled, requests: throttled.requests - 1 }
        return status.tooManyRequests(throttled.retryAfterSeconds)
      }
      try {
        const user = signedIn(server, options, request.headers.authorization)
        // Nothing is awaited that need not be: who looks at what a request does finds it done within this call.
        return answerRequest(withUser(server, request, user instanceof Promise ? await user : user), request)
      } catch (error) {
        if (error instanceof status.KubernetesError) return error.response
        throw error
      }
    },
    seed(objects) {
      for (const object of objects) seedObject(cluster, object)
    },
    remove: (apiVersion, kind, namespace, name) => removeSeeded(cluster, apiVersion, kind, namespace, name),
    readLogs: (source) => void logs.unshift(source),
    onWrite: (listener) => store.onWrite(listener),
    get: (apiVersion, kind, namespace, name) => store.get(typeOf(cluster, apiVersion, kind), namespace, name),
    list(apiVersion, kind, namespace) {
      const type = registry.ofKind(apiVersion, kind)
      return type ? store.list(type, namespace) : []
    },
    throttle(requests, retryAfterSeconds) {
      throttled = { requests, retryAfterSeconds }
    },
    compact: () => pages.compact(),
  }
}

/** Who holds a token that the server does not know by itself. */
function signedIn(server: Server, { signIn }: KubernetesOptions, authorization: string | undefined): SignedIn {
  const token = bearerToken(authorization)
  return token === undefined || Object.hasOwn(server.tokens, token) ? undefined : signIn?.(token)
}

/** The server, for this request knowing also the holder of its token. */
function withUser(server: Server, { headers }: EmulatorRequest, user: User | undefined): Server {
  const token = bearerToken(headers.authorization)
  return user === undefined || token === undefined ? server : { ...server, tokens: { ...server.tokens, [token]: user } }
}

function bearerToken(authorization = ''): string | undefined {
  const [scheme = '', token] = authorization.split(' ')
  return scheme.toLowerCase() === 'bearer' ? token : undefined
}
