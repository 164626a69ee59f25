import { createServer } from 'node:net'
import { EndedByItself } from './processes.ts'

/**
 * Asks again every `pauseMs` until `probe` gives something other than null, undefined or false, and returns that.
 * A probe that throws is asked again too, unless a process of the harness has died. Throws after `timeoutMs` with `what` and the probe's last error.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T> | T,
  pauseMs = 100,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < end) {
    try {
      const value = await probe()
      if (value !== null && value !== undefined && value !== false) return value
      last = undefined
    } catch (error) {
      if (error instanceof EndedByItself) throw error
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  throw new Error(`gave up after ${timeoutMs} ms waiting until ${what}${last ? `: ${String(last)}` : ''}`)
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
