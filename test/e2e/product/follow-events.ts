import type { Product } from './product.ts'

/** One server-sent event: the CloudEvent's own id and type, and where a stream that goes on behind it begins. */
export interface SentEvent {
  readonly id: string
  readonly type: string
  readonly cursor: string
}

/** Reads the stream of a rollout's events until the server ends it; from the beginning, or from behind an event. */
export async function followEvents(
  product: Product,
  rollout: string,
  after?: SentEvent,
): Promise<readonly SentEvent[]> {
  const { baseUrl, tokens } = product.file
  const response = await fetch(`${baseUrl}/api/v1/rollouts/${rollout}/events`, {
    headers: {
      authorization: `Bearer ${tokens.viewer}`,
      accept: 'text/event-stream',
      ...(after === undefined ? {} : { 'last-event-id': after.cursor }),
    },
  })
  const type = response.headers.get('content-type')
  if (response.status !== 200 || type !== 'text/event-stream') throw new Error(`${response.status} ${type}`)
  const blocks = (await response.text()).split('\n\n')
  return blocks.map(readBlock).filter((event) => event !== undefined)
}

function readBlock(block: string): SentEvent | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
  const [cursor, type, data] = [field('id'), field('event'), field('data')]
  return cursor && type && data ? { id: (JSON.parse(data) as { id: string }).id, type, cursor } : undefined
}
