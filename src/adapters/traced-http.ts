import type { HttpClient } from '@azure/core-rest-pipeline'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Azure } from './azure.ts'
import { socketHttpClient } from './azure-http.ts'
import type { Fetch } from './http-answer.ts'

/** Azure with every request to it, and to other addresses outside, as a span. Paths, queries and headers are not told. */
export function tracedAzure(azure: Azure, telemetry: Telemetry): Azure {
  const { credential, fetch, httpClient } = azure
  return { credential, fetch: tracedFetch(fetch, telemetry), httpClient: tracedHttpClient(httpClient, telemetry) }
}

/** `inner` absent: the SDKs' own, over sockets, loaded at the first request. */
export function tracedHttpClient(inner: HttpClient | undefined, telemetry: Telemetry): HttpClient {
  const open = inner ? async () => inner : socketHttpClient()
  return {
    sendRequest: (request) =>
      traced(telemetry, request.method, request.url, async () => (await open()).sendRequest(request)),
  }
}

export function tracedFetch(fetch: Fetch, telemetry: Telemetry): Fetch {
  return (input, init) => {
    const url = typeof input === 'object' && 'url' in input ? input.url : String(input)
    return traced(telemetry, init?.method ?? 'GET', url, () => fetch(input, init))
  }
}

function traced<T extends { readonly status: number }>(
  telemetry: Telemetry,
  method: string,
  url: string,
  send: () => Promise<T>,
): Promise<T> {
  const { hostname } = new URL(url)
  const attributes = { 'http.request.method': method, 'server.address': hostname }
  return telemetry.span(`outside ${method} ${systemOf(hostname)}`, attributes, async (note) => {
    const answer = await send()
    note({ 'http.response.status_code': answer.status })
    return answer
  })
}

const SYSTEMS: readonly (readonly [suffix: string, system: string])[] = [
  ['management.azure.com', 'arm'],
  ['.vault.azure.net', 'vault'],
  ['.prometheus.monitor.azure.com', 'prometheus'],
  ['.monitor.azure.com', 'monitor'],
  ['loganalytics.io', 'monitor'],
  ['loganalytics.azure.com', 'monitor'],
  ['login.microsoftonline.com', 'entra'],
  ['graph.microsoft.com', 'graph'],
  ['slack.com', 'slack'],
  ['.logic.azure.com', 'teams'],
  ['.environment.api.powerplatform.com', 'teams'],
]

/** A short word for a host: names of spans are to be few. */
function systemOf(hostname: string): string {
  return SYSTEMS.find(([suffix]) => hostname.endsWith(suffix))?.[1] ?? 'other'
}
