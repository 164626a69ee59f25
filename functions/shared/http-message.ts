import { Readable } from 'node:stream'
import type { HttpRequest as FunctionRequest, HttpResponseInit } from '@azure/functions'
import type { HttpRequest, HttpResponse } from '../../src/http/message.ts'

/** A request of the Functions library as routes see it; `signal` is aborted when the caller goes away. */
export function toRequest(request: FunctionRequest, signal?: AbortSignal): HttpRequest {
  const url = new URL(request.url)
  return {
    method: request.method.toUpperCase(),
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(request.headers.entries()),
    baseUrl: `${schemeOf(request, url)}://${request.headers.get('host') ?? url.host}`,
    body: (mostBytes) => readBody(request, mostBytes),
    ...(signal ? { signal } : {}),
  }
}

export function toResponse(response: HttpResponse): HttpResponseInit {
  const { status, headers, body } = response
  if (body === undefined) return { status, headers: { ...headers } }
  return { status, headers: { ...headers }, body: typeof body === 'string' ? body : Readable.from(body) }
}

/** The scheme that the caller used. A proxy's word is taken only for one of the two there are. */
function schemeOf(request: FunctionRequest, url: URL): string {
  const told = request.headers.get('x-forwarded-proto')
  return told === 'https' || told === 'http' ? told : url.protocol.slice(0, -1)
}

async function readBody(request: FunctionRequest, mostBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > mostBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
