import type { IHttpClient } from '@azure/storage-queue'
import type { Emulator } from '../emulators/emulator.ts'
import { callEmulator } from './pipeline-transport.ts'
import { bodyText, lowerCaseHeaders } from './wire.ts'

/**
 * The `httpClient` option of the @azure/storage-* clients, which still have the older shape of request and headers.
 * Otherwise as `pipelineTransport`.
 */
export function storageTransport(emulator: Emulator): IHttpClient {
  return {
    async sendRequest(request) {
      const response = await callEmulator(emulator, request, lowerCaseHeaders(request.headers.toJson()))
      const headers = request.headers.clone()
      for (const name of headers.headerNames()) headers.remove(name)
      for (const [name, value] of Object.entries(response.headers)) headers.set(name, value)
      return { request, status: response.status, headers, bodyAsText: bodyText(response) }
    },
  }
}
