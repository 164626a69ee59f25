import type { EmulatorRequest, EmulatorResponse } from '../emulators/emulator.ts'

/**
 * How the host reaches a service: in process it is the emulator itself, else `sendOverHttp`. Rejects when there is no answer.
 */
export type Send = (request: EmulatorRequest) => Promise<EmulatorResponse>

/** Sends requests where their URL says. */
export const sendOverHttp: Send = async (request) => {
  const hasBody = request.body.byteLength > 0
  const response = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    ...(hasBody ? { body: Buffer.from(request.body) } : {}),
  })
  const headers = Object.fromEntries(response.headers)
  return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) }
}

/** An answer's body as text. */
export function bodyText(response: EmulatorResponse): string {
  return typeof response.body === 'string' ? response.body : new TextDecoder().decode(response.body)
}

/** A service's answer that is neither what was asked for nor one the caller knows what to do with. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly status: number

  constructor(what: string, response: EmulatorResponse) {
    super(`${what}: ${response.status} ${bodyText(response).slice(0, 200)}`)
    this.status = response.status
  }
}
