import type { EmulatorResponse } from '../../src/sandbox/emulators/emulator.ts'
import { bodyText } from '../../src/sandbox/transports/wire.ts'

/** An answer that broke off half-way. */
export function cut(response: EmulatorResponse): EmulatorResponse {
  const text = bodyText(response)
  return { ...response, body: text.slice(0, Math.floor(text.length / 2)) }
}

/** What a hotel's network answers. */
export function html(): EmulatorResponse {
  return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in to the network</html>' }
}

/** An answer of text that no service wrote for us. */
export function plain(status: number, body: string): EmulatorResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body }
}
