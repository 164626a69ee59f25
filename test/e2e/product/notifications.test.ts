import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { KeptMessage } from '../../../src/sandbox/emulators/kept-messages.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { SLOW, webService } from './web-service.ts'

interface Chat {
  readonly slack: readonly KeptMessage[]
  readonly teams: readonly KeptMessage[]
}

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

const isOver = ({ endedAt }: RolloutView) => endedAt !== undefined

/** Titles of the messages about a service, in the order of arrival. */
async function titles(
  service: string,
): Promise<{ readonly slack: readonly string[]; readonly teams: readonly string[] }> {
  const { slack, teams } = await product.world<Chat>('GET', '/chat')
  expect(teams.filter(({ failed }) => failed !== undefined)).toEqual([])
  const about = (all: readonly string[]) => all.filter((title) => title.startsWith(`shop/${service}:`))
  return {
    slack: about(slack.map(({ body }) => (body as { text: string }).text.replace(/\. .*$/s, ''))),
    teams: about(teams.map(({ body }) => teamsTitle(body))),
  }
}

function teamsTitle(body: unknown): string {
  const { attachments } = body as { attachments: readonly { content: { fallbackText: string } }[] }
  return attachments[0]?.content.fallbackText ?? ''
}

async function told(service: string, last: string): Promise<readonly string[]> {
  const all = await until(
    () => titles(service),
    ({ slack, teams }) => [slack, teams].every((channel) => channel.includes(`shop/${service}: ${last}`)),
  )
  expect(all.teams.toSorted()).toEqual(all.slack.toSorted())
  return all.slack.map((title) => title.replace(`shop/${service}: `, ''))
}

describe('people are told, in Slack and in Teams', { concurrent: true, timeout: 120_000 }, () => {
  test('of a promotion: its start and its end, once', async () => {
    const web = await webService(product, 'told-good')
    const { id } = await web.start()
    await product.rolloutWhen(id, isOver)
    expect(await told('told-good', 'v2 was promoted')).toEqual(['rollout of v2 started', 'v2 was promoted'])
  })

  test('of harm, with the counts, and of the way back, once', async () => {
    const web = await webService(product, 'told-bad')
    await web.setErrors(20)
    const { id } = await web.start()
    const { message } = await product.rolloutWhen(id, isOver)
    const all = await told('told-bad', 'v2 was rolled back')
    expect(new Set(all).size).toBe(all.length)
    // Harm is no news any more when the way back was faster than the message.
    expect(all.filter((title) => title !== 'harm seen, v2 is being rolled back')).toEqual([
      'rollout of v2 started',
      'v2 was rolled back',
    ])
    const { slack } = await product.world<Chat>('GET', '/chat')
    const end = slack.find(({ body }) =>
      (body as { text: string }).text.startsWith('shop/told-bad: v2 was rolled back'),
    )
    expect(JSON.stringify(end)).toContain(message.slice(0, 40))
    expect(JSON.stringify(end)).toMatch(/harm {2,}\d+ of \d+ bad \([\d.]+ %\), limit 1 % {2,}evidence/)
  })

  test('of a certificate that its clusters have', async () => {
    const body = {
      purpose: 'gateway-tls',
      team: 'shop',
      dnsNames: ['told.example.com'],
      clusters: ['east'],
      secret: { namespace: 'shop', name: 'told-tls' },
      issuer: { kind: 'self' },
    }
    const put = await product.call<{ serial: string }>('PUT', '/certificates/told-tls?wait=60s', { body })
    expect(put.status).toBe(201)
    const { slack, teams } = await until(
      () => product.world<Chat>('GET', '/chat'),
      (chat) => [chat.slack, chat.teams].every((got) => JSON.stringify(got).includes('Certificate told-tls')),
    )
    const about = (got: readonly KeptMessage[]) =>
      got.map((one) => JSON.stringify(one)).filter((one) => one.includes('told-tls'))
    for (const got of [slack, teams]) {
      expect(about(got)).toHaveLength(1)
      expect(about(got)[0]).toContain('Certificate told-tls was rotated')
      expect(about(got)[0]).toContain(put.body.serial)
    }
  })

  test('of a pause, with buttons that say what can be done', async () => {
    const web = await webService(product, 'told-paused')
    const { id } = await web.start(SLOW)
    await product.rolloutWhen(id, ({ phase }) => phase === 'progressing')
    await product.call('POST', `${web.path}/pause`, { body: { note: '<!channel> lunch' } })
    await told('told-paused', 'rollout of v2 is paused')
    const { slack } = await product.world<Chat>('GET', '/chat')
    const pause = JSON.stringify(
      slack.find(({ body }) => JSON.stringify(body).includes('told-paused: rollout of v2 is')),
    )
    expect(pause.match(/meshwright\.[a-z]+/g)).toEqual(
      ['promote', 'resume', 'abort'].map((verb) => `meshwright.${verb}`),
    )
    expect(pause).toContain(`"value":"${id}"`)
    expect(pause).toContain('&lt;!channel&gt; lunch')
    await product.call('POST', `${web.path}/abort`, { body: {} })
    await told('told-paused', 'rollout of v2 was aborted')
  })
})
