import type { Emulator } from '../emulators/emulator.ts'
import { bodyText, callWithPatience, isAbort } from './wire.ts'

const withoutBody = new Set([101, 204, 205, 304])

/**
 * A `fetch` that reaches an emulator in process, with no sockets. Honours the signal, rejecting with its reason; a
 * failure below HTTP is a TypeError `fetch failed` with the failure as its cause, as Node's own fetch does.
 */
export function fetchTransport(emulator: Emulator): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const body = new Uint8Array(await request.arrayBuffer())
    const headers = Object.fromEntries(request.headers)
    const call = { method: request.method, url: new URL(request.url), headers, body }
    try {
      const response = await callWithPatience(emulator, call, { signal: request.signal })
      const text = withoutBody.has(response.status) ? null : bodyText(response)
      return new Response(text, { status: response.status, headers: { ...response.headers } })
    } catch (error) {
      if (isAbort(error)) throw request.signal.reason
      throw new TypeError('fetch failed', { cause: error })
    }
  }
}
