import type { HttpClient, PipelineRequest } from '@azure/core-rest-pipeline'
import type { Fetch } from './http-answer.ts'
import { once } from './once.ts'

/** Hosts of Azure and of chat services that the emulators stand in for, by suffix. */
const EMULATED_SUFFIXES = [
  'management.azure.com',
  'login.microsoftonline.com',
  'graph.microsoft.com',
  '.vault.azure.net',
  '.monitor.azure.com',
  'api.loganalytics.io',
  'api.loganalytics.azure.com',
  '.logic.azure.com',
  '.environment.api.powerplatform.com',
  'slack.com',
  'hooks.slack.com',
] as const

/**
 * Where a request for a service's public address goes when emulators stand in for Azure: `https://HOST/PATH` becomes
 * `GATEWAY/HOST/PATH`. Undefined for a host that is not emulated. SDKs refuse to send tokens to plain HTTP, so they are
 * told the public address, and only the last step, the socket, goes elsewhere.
 */
export function emulatedUrl(gateway: string, url: string): string | undefined {
  const { protocol, host, pathname, search } = new URL(url)
  if (protocol !== 'https:' || !EMULATED_SUFFIXES.some((suffix) => isBelow(host, suffix))) return undefined
  return `${gateway}/${host}${pathname}${search}`
}

function isBelow(host: string, suffix: string): boolean {
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix
}

/** The SDKs' own client, over sockets; loaded at the first call. */
export function socketHttpClient(): () => Promise<HttpClient> {
  return once(async () => (await import('@azure/core-rest-pipeline')).createDefaultHttpClient())
}

/** The `httpClient` option of the Azure SDKs over the emulators' gateway. The SDK's own client is loaded at the first call. */
export function emulatedHttpClient(gateway: string): HttpClient {
  const plain = socketHttpClient()
  return {
    async sendRequest(request: PipelineRequest) {
      const url = emulatedUrl(gateway, request.url)
      const asked = url === undefined ? request : { ...request, url, allowInsecureConnection: true }
      const answer = await (await plain()).sendRequest(asked)
      // Policies look at the request of the answer: it is the one that they made.
      return { ...answer, request }
    },
  }
}

/** `fetch` over the emulators' gateway, for what is called without an SDK. */
export function emulatedFetch(gateway: string, fetch: Fetch): Fetch {
  return (input, init) => {
    const url = typeof input === 'string' || input instanceof URL ? emulatedUrl(gateway, String(input)) : undefined
    return fetch(url ?? input, init)
  }
}
