import type { Product } from './product.ts'

/** One server-sent event. */
export interface SentEvent {
  readonly id: string
  readonly type: string
  readonly data: unknown
}

/** Reads the stream of a rollout's events until the server ends it. */
export async function followEvents(product: Product, rollout: string): Promise<readonly SentEvent[]> {
  const { baseUrl, tokens } = product.file
  const response = await fetch(`${baseUrl}/api/v1/rollouts/${rollout}/events`, {
    headers: { authorization: `Bearer ${tokens.viewer}`, accept: 'text/event-stream' },
  })
  const type = response.headers.get('content-type')
  if (response.status !== 200 || type !== 'text/event-stream') throw new Error(`${response.status} ${type}`)
  const blocks = (await response.text()).split('\n\n')
  return blocks.map(readBlock).filter((event) => event !== undefined)
}

function readBlock(block: string): SentEvent | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
  const [id, type, data] = [field('id'), field('event'), field('data')]
  return id && type && data ? { id, type, data: JSON.parse(data) } : undefined
}
