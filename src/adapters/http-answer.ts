import { PortError } from '../ports/port-error.ts'

/** What carries a request to an address outside: `fetch`, or a stand-in with no sockets. */
export type Fetch = typeof fetch

/** The body as text, read up to `maxBytes`. Throws PortError `unavailable` (reason `TooLarge`) beyond. */
export async function readBounded(response: Response, maxBytes: number, system: string): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks).toString('utf8')
    length += value.length
    chunks.push(value)
    if (length > maxBytes) {
      await reader.cancel()
      const message = `${system} gave an answer of more than ${maxBytes} bytes`
      throw new PortError('unavailable', system, message, { reason: 'TooLarge' })
    }
  }
}
