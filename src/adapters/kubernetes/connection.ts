import type { Configuration, HttpLibrary, HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node'
import type { Clock } from '../../ports/clock.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import { withDeadline } from '../deadline.ts'
import { errorCode, networkFailure, retryAfterMs } from '../network-failure.ts'
import { kubeFailure } from './kube-failure.ts'
import { nodeHttpLibrary } from './node-http-library.ts'

const requestDeadlineMs = 10_000
const maxBodyBytes = 32 * 1024 * 1024
const retryDelayMs = 250
/** A longer Retry-After is the caller's to wait for. */
const longestRetryMs = 3000

export interface KubeRequest {
  readonly method: HttpMethod
  /** With its leading slash; parts are encoded by the caller. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly accept?: string
  readonly contentType?: string
  readonly body?: unknown
}

/** One API server, with who we are there. */
export interface Connection {
  /** `Kubernetes east`: for errors. */
  readonly system: string
  /** The parsed JSON of a success; PortError for everything else. */
  send(request: KubeRequest): Promise<unknown>
  /** The text of a success, as it came. */
  sendText(request: KubeRequest): Promise<string>
  /** For the library's own typed clients; carries requests with the same deadline, retry and errors. */
  readonly configuration: Configuration
}

/** Signs requests with what ends and is renewed. */
export interface SignIn {
  headers(): Promise<Readonly<Record<string, string>>>
  /** The server answered 401: the next headers should be others. */
  refused(headers: Readonly<Record<string, string>>): void
}

export interface ConnectOptions {
  readonly system: string
  readonly clock: Clock
  /** Carries the requests in place of sockets. */
  readonly http?: HttpLibrary
  /** In place of the kubeconfig's user. */
  readonly signIn?: SignIn
  /** Told of every failure; answers what to throw in place of it. */
  readonly failed?: (error: PortError) => PortError
}

/**
 * Connects to the current context's cluster. @kubernetes/client-node gives the kubeconfig's reading, sign-in and TLS,
 * the shape of requests and the typed clients. Throws PortError `invalid` with reason `PlainHttp` for an http:// server
 * that is not marked insecure.
 */
export async function connectTo(config: KubeConfig, options: ConnectOptions): Promise<Connection> {
  const { system, clock, http, failed } = options
  const kube = await import('@kubernetes/client-node')
  const server = new kube.ServerConfiguration(config.getCurrentCluster()?.server ?? '', {})
  const fixed = await signInHeaders(config, server.makeRequestContext('/', kube.HttpMethod.GET), system)
  const signIn = options.signIn ?? { headers: async () => fixed, refused: undefined }
  const route: Route = { carrier: http ?? (await nodeHttpLibrary(config, maxBodyBytes)), system, clock, signIn }
  const guarded = kube.wrapHttpLibrary({
    async send(context) {
      const { headers, text } = await sendWithRetry(route, context).catch((error: unknown) => {
        throw isPortError(error) && failed ? failed(error) : error
      })
      const body = { text: async () => text, binary: async () => Buffer.from(text), stream: () => null }
      return new kube.ResponseContext(200, headers, body)
    },
  })
  const configuration = kube.createConfiguration({ baseServer: server, httpApi: guarded })
  const sendText = async (request: KubeRequest) => {
    const context = server.makeRequestContext(request.path, request.method)
    fill(context, request)
    return (await guarded.send(context).toPromise()).body.text()
  }
  return { system, configuration, sendText, send: async (request) => parse(await sendText(request), system) }
}

/** The headers that sign requests: they do not change while the kubeconfig does not. */
async function signInHeaders(
  config: KubeConfig,
  context: RequestContext,
  system: string,
): Promise<Record<string, string>> {
  try {
    await config.applySecurityAuthentication(context)
  } catch (error) {
    const plain = error instanceof Error && error.message.startsWith('HTTP protocol')
    throw plain
      ? new PortError('invalid', system, 'an http:// server needs insecure-skip-tls-verify', { reason: 'PlainHttp' })
      : new PortError(
          'invalid',
          system,
          `the sign-in of the kubeconfig does not work (${errorCode(error) ?? 'error'})`,
          {
            reason: 'Kubeconfig',
          },
        )
  }
  return { ...context.getHeaders() }
}

function fill(context: RequestContext, { query = {}, accept, contentType, body }: KubeRequest): void {
  for (const [name, value] of Object.entries(query)) if (value !== undefined) context.setQueryParam(name, value)
  context.setHeaderParam('Accept', accept ?? 'application/json')
  if (body === undefined) return
  context.setHeaderParam('Content-Type', contentType ?? 'application/json')
  context.setBody(JSON.stringify(body))
}

interface Route {
  readonly carrier: HttpLibrary
  readonly system: string
  readonly clock: Clock
  readonly signIn: { readonly headers: SignIn['headers']; readonly refused: SignIn['refused'] | undefined }
}

interface Answer {
  readonly headers: Record<string, string>
  readonly text: string
}

/** Reads are tried twice; a write is not, for its effect is unknown and reconcile looks before it writes again. */
async function sendWithRetry(route: Route, context: RequestContext): Promise<Answer> {
  try {
    return await sendSigned(route, context)
  } catch (error) {
    const waitMs = isPortError(error, 'throttled', 'unavailable') ? (error.retryAfterMs ?? retryDelayMs) : Infinity
    if (context.getHttpMethod() !== 'GET' || waitMs > longestRetryMs) throw error
    await route.clock.sleep(waitMs)
    return sendSigned(route, context)
  }
}

/** What was answered 401 was not done, whatever it was: where a sign-in can be renewed, it is sent once more. */
async function sendSigned(route: Route, context: RequestContext): Promise<Answer> {
  const { headers, refused } = route.signIn
  const sign = async () => {
    const signed = await headers()
    for (const [name, value] of Object.entries(signed)) context.setHeaderParam(name, value)
    return signed
  }
  const signed = await sign()
  try {
    return await sendOnce(route, context)
  } catch (error) {
    if (refused === undefined || !isPortError(error, 'denied') || error.reason !== 'Unauthorized') throw error
    refused(signed)
    await sign()
    return sendOnce(route, context)
  }
}

async function sendOnce({ carrier, system, clock }: Route, context: RequestContext): Promise<Answer> {
  try {
    return await withDeadline(clock, requestDeadlineMs, system, async (signal) => {
      context.setSignal(signal)
      const response = await carrier.send(context).toPromise()
      const text = await response.body.text()
      const { httpStatusCode: code, headers } = response
      if (text.length > maxBodyBytes) throw tooLarge(system)
      if (code >= 200 && code < 300) return { headers, text }
      throw kubeFailure(system, code, text, retryAfterMs(headers['retry-after'], clock.now()))
    })
  } catch (error) {
    if (isPortError(error)) throw error
    throw error instanceof RangeError ? tooLarge(system) : networkFailure(system, error)
  }
}

function tooLarge(system: string): PortError {
  return new PortError('unavailable', system, `${system} gave an answer of more than 32 MiB`, { reason: 'TooLarge' })
}

function parse(text: string, system: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PortError('unavailable', system, `${system} gave an answer that is not JSON`, { reason: 'NotJson' })
  }
}
