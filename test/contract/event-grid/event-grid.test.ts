import { beforeEach, describe, expect, it } from 'vitest'
import {
  type EventGridEmulator,
  eventGridEmulator,
  type GridEvent,
} from '../../../src/sandbox/emulators/event-grid/event-grid.ts'
import { gridEventOf } from '../../../src/sandbox/sandbox-vault.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'

const URL = 'https://meshwright.example.com/hooks/key-vault?code=1'
const EVENT = gridEventOf(
  { type: 'CertificateNewVersionCreated', host: 'shop.vault.azure.net', name: 'tls', version: 'v1', nbf: 1, exp: 2 },
  0,
)

interface Got {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly events: readonly GridEvent[]
}

describe('the emulated Event Grid', () => {
  let now: number
  let got: Got[]
  let answer: (got: Got) => { status: number; body: string }
  let grid: EventGridEmulator
  beforeEach(() => {
    now = Date.UTC(2030, 0, 1)
    got = []
    answer = ({ events }) => {
      const { validationCode } = (events[0]?.data ?? {}) as { validationCode?: string }
      return { status: 200, body: JSON.stringify({ validationResponse: validationCode }) }
    }
    const context = { now: () => now, random: Math.random, storage: memoryStorage() }
    grid = eventGridEmulator(context, async (url, headers, body) => {
      const one = { url, headers, events: JSON.parse(body) }
      got.push(one)
      return answer(one)
    })
  })

  it('shakes hands first, and keeps nothing for who does not prove to want events', async () => {
    await grid.subscribe('certificates', URL)
    expect(got[0]).toMatchObject({
      url: URL,
      headers: { 'aeg-event-type': 'SubscriptionValidation', 'aeg-subscription-name': 'CERTIFICATES' },
      events: [{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent' }],
    })
    answer = () => ({ status: 200, body: '{"validationResponse":"other"}' })
    await expect(grid.subscribe('wrong', URL)).rejects.toThrow('did not prove')
    answer = () => ({ status: 404, body: '' })
    await expect(grid.subscribe('absent', URL)).rejects.toThrow('(404)')
    grid.publish(EVENT)
    expect(grid.waiting()).toBe(1)
  })

  it('sends events in batches, as Key Vault gives them', async () => {
    grid.publish(EVENT)
    await grid.subscribe('certificates', URL, { 'x-key': 'k' })
    for (let at = 0; at < 12; at += 1) grid.publish(EVENT)
    await grid.deliver()
    expect(got.slice(1).map(({ events }) => events.length)).toEqual([10, 2])
    expect(got[1]?.headers).toMatchObject({ 'aeg-event-type': 'Notification', 'x-key': 'k' })
    expect(got[1]?.events[0]).toMatchObject({
      topic: expect.stringMatching(/\/providers\/Microsoft\.KeyVault\/vaults\/shop$/),
      subject: 'tls',
      eventType: 'Microsoft.KeyVault.CertificateNewVersionCreated',
      data: { Id: 'https://shop.vault.azure.net/certificates/tls/v1', VaultName: 'shop', ObjectType: 'Certificate' },
      dataVersion: '1',
      metadataVersion: '1',
    })
    expect(grid.waiting()).toBe(0)
  })

  it('sends again until it is taken, each time later, and at last no more', async () => {
    await grid.subscribe('certificates', URL)
    grid.publish(EVENT)
    answer = () => ({ status: 500, body: '' })
    const times: number[] = []
    for (let second = 0; second < 25 * 3600 && grid.waiting() > 0; second += 10) {
      const before = got.length
      await grid.deliver()
      if (got.length > before) times.push(second)
      now += 10_000
    }
    expect(times.slice(0, 5)).toEqual([0, 10, 40, 100, 400])
    expect(times.at(-1)).toBeLessThanOrEqual(24 * 3600)
    expect(grid.waiting()).toBe(0)
    expect(new Set(got.slice(1).map(({ events }) => events[0]?.id)).size).toBe(1)
  })

  it('does not insist where it is refused for good', async () => {
    await grid.subscribe('certificates', URL)
    grid.publish(EVENT)
    answer = () => ({ status: 400, body: '' })
    await grid.deliver()
    expect(grid.waiting()).toBe(0)
  })
})
