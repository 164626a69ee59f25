import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline'
import type { Emulator, EmulatorResponse } from '../emulators/emulator.ts'
import { bodyBytes, bodyText, callWithPatience, connectionCode, isAbort, lowerCaseHeaders } from './wire.ts'

/**
 * The `httpClient` of an Azure SDK client that reaches an emulator in process, with no sockets. Honours the request's
 * abort signal and timeout (`AbortError`); a failure below HTTP is a `RestError` with the socket's code, or
 * `REQUEST_SEND_ERROR` where there is none. For @azure/storage-queue use `storageTransport`.
 */
export function pipelineTransport(emulator: Emulator): HttpClient {
  return { sendRequest: (request) => send(emulator, request) }
}

async function send(emulator: Emulator, request: PipelineRequest): Promise<PipelineResponse> {
  const url = new URL(request.url)
  if (url.protocol !== 'https:' && !request.allowInsecureConnection) {
    throw new Error(`Cannot connect to ${request.url} while allowInsecureConnection is false.`)
  }
  const response = await callEmulator(emulator, request, lowerCaseHeaders(request.headers.toJSON()))
  const headers = createHttpHeaders({ ...response.headers })
  if (request.method === 'HEAD') return { request, status: response.status, headers }
  return { request, status: response.status, headers, bodyAsText: bodyText(response) }
}

/** What the two generations of Azure request objects have in common. */
export interface AnyAzureRequest {
  readonly url: string
  readonly method: string
  readonly body?: unknown
  readonly timeout: number
  readonly abortSignal?: PipelineRequest['abortSignal']
}

/** Sends one request of an Azure SDK to the emulator; throws as `pipelineTransport` says. */
export async function callEmulator(
  emulator: Emulator,
  request: AnyAzureRequest,
  headers: Record<string, string>,
): Promise<EmulatorResponse> {
  const body = bodyBytes(request.body)
  // A socket client would add these two; signatures over the headers need them.
  if (body.length > 0 && headers['content-length'] === undefined) headers['content-length'] = String(body.length)
  const url = new URL(request.url)
  const patience = { signal: request.abortSignal, timeoutMs: request.timeout }
  try {
    return await callWithPatience(emulator, { method: request.method, url, headers, body }, patience)
  } catch (error) {
    if (isAbort(error)) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new RestError(message, { code: connectionCode(error) ?? RestError.REQUEST_SEND_ERROR })
  }
}
