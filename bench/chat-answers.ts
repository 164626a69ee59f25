import { type HookAnswer, mapSlackUser, mention, slash } from '../test/e2e/product/chat-client.ts'
import { type Product, startProduct } from '../test/e2e/product/product.ts'
import { SLOW, webService } from '../test/e2e/product/web-service.ts'
import { type Figure, median } from './figure.ts'

const TIMES = 20

/** How long chats wait for an answer of the local host, on a cluster that answers at once and on one that is slow. */
export async function chatAnswers(): Promise<readonly Figure[]> {
  const product = await startProduct()
  try {
    await mapSlackUser(product)
    const name = await liveRollout(product, 'chatty')
    const read = await times(() => slash(product, `status ${name}`))
    const changed = await times((index) => slash(product, `${index % 2 === 0 ? 'pause' : 'resume'} ${name}`))
    const byTeams = await times((index) => mention(product, `${index % 2 === 0 ? 'pause' : 'resume'} ${name}`))
    const slow = await liveRollout(product, 'slow')
    const other = await liveRollout(product, 'slower')
    await product.world('PATCH', '/clusters/east', { answerMs: 2000 })
    const slowSlack = await slash(product, `abort ${slow}`)
    const slowTeams = await mention(product, `abort ${other}`)
    return [
      figure('Slack: status', read, 3000),
      figure('Slack: pause or resume', changed, 3000),
      figure('Teams: pause or resume', byTeams, 5000),
      figure('Slack: abort on a cluster that takes 2 s for an answer', [slowSlack], 3000),
      figure('Teams: abort on a cluster that takes 2 s for an answer', [slowTeams], 5000),
    ]
  } finally {
    await product.close()
  }
}

async function liveRollout(product: Product, name: string): Promise<string> {
  const web = await webService(product, name, ['east'])
  const { id } = await web.start(SLOW)
  await product.rolloutWhen(id, ({ weight }) => weight === 20)
  return name
}

async function times(call: (index: number) => Promise<HookAnswer>): Promise<readonly HookAnswer[]> {
  const answers: HookAnswer[] = []
  for (let index = 0; index < TIMES; index += 1) answers.push(await call(index))
  return answers
}

/** The slowest counts: a chat gives up on one late answer. */
function figure(name: string, answers: readonly HookAnswer[], limit: number): Figure {
  const took = answers.map(({ tookMs }) => Math.round(tookMs))
  return { name, value: Math.max(...took), unit: 'ms at most', limit, note: `median ${median(took)}` }
}
