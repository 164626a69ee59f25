import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'

export interface RawAnswer {
  readonly status: number
  /** As on the wire: name, value, name, value. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** One request as given, without what `fetch` adds, joins or forbids. Rejects when the answer breaks off. */
export async function rawRequest(url: string, options: RequestOptions, body?: Uint8Array): Promise<RawAnswer> {
  const sent = request(url, { agent: false, ...options })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return { status: answer.statusCode ?? 0, rawHeaders: answer.rawHeaders, body: Buffer.concat(chunks) }
}

/** Every value of one header of an answer. */
export function headerValues(answer: RawAnswer, name: string): string[] {
  return answer.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name)
}
