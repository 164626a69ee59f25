import { type HttpLibrary, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node'
import type { Emulator } from '../emulators/emulator.ts'
import { bodyBytes, bodyText, callWithPatience, lowerCaseHeaders } from './wire.ts'

/**
 * The `httpApi` of a @kubernetes/client-node 2.x configuration that reaches an emulator in process, with no sockets.
 * Honours the request's abort signal; a failure below HTTP is thrown as it comes (`ConnectionError`).
 */
export function kubernetesTransport(emulator: Emulator): HttpLibrary {
  return wrapHttpLibrary({
    async send(request) {
      const url = new URL(request.getUrl())
      const headers = lowerCaseHeaders(request.getHeaders())
      const body = request.getBody()
      const bytes = bodyBytes(body instanceof URLSearchParams ? body.toString() : body)
      const call = { method: request.getHttpMethod(), url, headers, body: bytes }
      const response = await callWithPatience(emulator, call, { signal: request.getSignal() })
      const text = bodyText(response)
      return new ResponseContext(
        response.status,
        { ...response.headers },
        {
          text: async () => text,
          binary: async () => Buffer.from(text),
          stream: () => new Blob([text]).stream(),
        },
      )
    },
  })
}
