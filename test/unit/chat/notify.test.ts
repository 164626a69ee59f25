import { beforeEach, describe, expect, it } from 'vitest'
import { type NotifyDeps, sendNotification } from '../../../src/chat/notify.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { followUpsOf } from '../../../src/model/follow-ups.ts'
import type { TeamSpec } from '../../../src/model/team.ts'
import type { OutgoingMessage } from '../../../src/ports/messenger.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { aCertificate, aMeshCa, aService, aTeam } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, later } from '../rollouts/fixture.ts'
import { aHarmfulRollout, anEvent } from './cards/a-story.ts'

const MINUTE = 60_000
const WEBHOOK = 'https://prod.logic.azure.com/workflows/1?sig=secret'

let store: MemoryStore
let now: number
let sent: OutgoingMessage[]
let logged: string[]
/** What sending to a kind of channel throws. */
let trouble: Partial<Record<OutgoingMessage['kind'], PortError>>
let deps: NotifyDeps

beforeEach(() => {
  store = new MemoryStore()
  now = Date.parse(later(121_000))
  sent = []
  logged = []
  trouble = {}
  deps = {
    store,
    clock: { now: () => now, sleep: async () => undefined },
    random: { next: () => 0.5, uuid: () => 'uuid' },
    logger: { log: (level, event) => void logged.push(`${level} ${event}`) },
    webhook: async (secret) => (secret === 'teams-shop' ? ` ${WEBHOOK}\n` : ''),
    messenger: {
      async send(message) {
        const error = trouble[message.kind]
        if (error) throw error
        sent.push(message)
      },
    },
  }
  store.put(aService({ rollouts: [aHarmfulRollout()] }))
  useChat({ channel: 'C024BE91L', teamsSecret: 'teams-shop' })
})

function useChat(chat: TeamSpec['chat']): void {
  store.put(aTeam(chat === undefined ? {} : { chat }))
}

/** Makes the notification of an event; its name. */
function told(event: EventRecord): string {
  const [followUp] = followUpsOf(event)
  if (!followUp) throw new Error('nobody is told')
  store.put(followUp.document)
  return followUp.document.name
}

const sends = (name: string) => store.get('notification', name).sends ?? []
const states = (name: string) => sends(name).map(({ channel, state, attempts }) => `${channel} ${state} ${attempts}`)
const throttled = (retryAfterMs: number) => new PortError('throttled', 'Slack', 'Slack answered 429', { retryAfterMs })

describe('a notification', () => {
  it('reaches both channels of the team, once, marked with its name', async () => {
    const name = told(anEvent('rollout.started'))
    await sendNotification(deps, name)
    await sendNotification(deps, name)
    expect(sent.map(({ kind }) => kind).sort()).toEqual(['slack', 'teams'])
    expect(sent.find(({ kind }) => kind === 'slack')).toMatchObject({ channel: 'C024BE91L', notification: name })
    expect(sent.find(({ kind }) => kind === 'teams')).toMatchObject({ url: WEBHOOK })
    expect(JSON.stringify(sent.find(({ kind }) => kind === 'teams'))).toContain(`notification-${name}`)
    expect(states(name)).toEqual(['slack/shop sent 1', 'teams/shop sent 1'])
    expect(store.get('notification', name).dueAt).toBeUndefined()
    expect(JSON.stringify(store.get('notification', name))).not.toContain('sig=')
  })

  it('of a team without channels, or of what belongs to nobody, ends at once', async () => {
    useChat(undefined)
    const name = told(anEvent('rollout.started'))
    const other = told(anEvent('rollout.started', { id: 'other', subject: 'rollouts/shop.gone.k3' }))
    const certificate = told(anEvent('certificate.rotated', { subject: 'certificates/web-tls' }))
    for (const one of [name, other, certificate, 'gone']) await sendNotification(deps, one)
    expect(store.get('notification', name)).toMatchObject({ sends: [] })
    // What it belongs to may not be seen yet: only later is it nobody's.
    expect(store.get('notification', other)).not.toHaveProperty('sends')
    expect(store.get('notification', other).dueAt).toBeDefined()
    now += 60_000
    for (const one of [other, certificate]) await sendNotification(deps, one)
    expect(sent).toEqual([])
    for (const one of [name, other, certificate]) expect(store.get('notification', one)).toMatchObject({ sends: [] })
    expect(store.get('notification', name).dueAt).toBeUndefined()
  })

  it('of what belongs to no team goes to the channels of the platform, and a page waits for no quiet hours', async () => {
    const quietHours = { from: '00:00', to: '23:59', timeZone: 'UTC' }
    store.put(aTeam({ chat: { channel: 'C0PLATFORM', platform: true, quietHours } }, 'platform'))
    store.put(aMeshCa())
    const stranger = (id: string, page: boolean) =>
      anEvent('certificate.near-expiry', {
        id,
        subject: 'clusters/west',
        message: 'Root 5f ends.',
        data: { registered: false, page, serial: '5f', notAfter: '2026-06-01T00:00:00.000Z' },
      })
    const page = told(stranger('page', true))
    const later = told(stranger('later', false))
    const ca = told(anEvent('certificate.held', { id: 'held', subject: 'certificates/east-ca' }))
    for (const one of [page, later, ca]) await sendNotification(deps, one)
    expect(states(page)).toEqual(['slack/platform sent 1'])
    expect(states(later)).toEqual(['slack/platform waiting 0'])
    expect(states(ca)).toEqual(['slack/platform sent 1'])
    expect(sent.map((message) => message.kind === 'slack' && message.channel)).toEqual(['C0PLATFORM', 'C0PLATFORM'])
    expect(JSON.stringify(sent[0])).toContain('Not registered: a certificate of clusters/west ends soon')
  })

  it('of a certificate goes to its own team, and to the platform only where that has no channel', async () => {
    store.put(aTeam({ chat: { channel: 'C0PLATFORM', platform: true } }, 'platform'))
    const certificate = aCertificate()
    store.put({ ...certificate, spec: { ...certificate.spec, team: 'shop' } })
    const event = (id: string) => anEvent('certificate.near-expiry', { id, subject: 'certificates/web-tls' })
    const own = told(event('own'))
    await sendNotification(deps, own)
    expect(states(own)).toEqual(['slack/shop sent 1', 'teams/shop sent 1'])
    useChat(undefined)
    const fallen = told(event('fallen'))
    await sendNotification(deps, fallen)
    expect(states(fallen)).toEqual(['slack/platform sent 1'])
  })

  it('that one channel does not take is not held up on the other, and tried again when its time has come', async () => {
    trouble.slack = throttled(90_000)
    const name = told(anEvent('rollout.started'))
    await sendNotification(deps, name)
    expect(states(name)).toEqual(['slack/shop waiting 1', 'teams/shop sent 1'])
    expect(sends(name)[0]).toMatchObject({ notBefore: later(211_000), message: 'Slack answered 429' })
    expect(store.get('notification', name).dueAt).toBe(later(211_000))
    trouble = {}
    now += 89_000
    await sendNotification(deps, name)
    expect(sent).toHaveLength(1)
    now += 1000
    await sendNotification(deps, name)
    expect(states(name)).toEqual(['slack/shop sent 2', 'teams/shop sent 1'])
    expect(sends(name)[0]).not.toHaveProperty('message')
  })

  it('is tried at growing intervals and given up after a day, which the log says to people', async () => {
    useChat({ channel: 'C024BE91L' })
    trouble.slack = new PortError('invalid', 'Slack', 'Slack says channel_not_found', { reason: 'channel_not_found' })
    const name = told(anEvent('rollout.started'))
    const waits: number[] = []
    const begin = now
    for (;;) {
      await sendNotification(deps, name)
      const due = store.get('notification', name).dueAt
      if (due === undefined) break
      waits.push(Date.parse(due) - now)
      now = Date.parse(due)
    }
    expect(waits.slice(0, 5).map((wait) => wait / MINUTE)).toEqual([3.75, 7.5, 15, 30, 45])
    expect(now - begin).toBeGreaterThan(22 * 60 * MINUTE)
    expect(now - begin).toBeLessThanOrEqual(24 * 60 * MINUTE)
    expect(sends(name)).toMatchObject([{ state: 'given-up', message: 'Slack says channel_not_found' }])
    expect(logged.filter((line) => line.startsWith('error'))).toEqual(['error notification.given-up'])
  })

  it('is not sent twice by two workers at once, and again after one that died with it in hand', async () => {
    const name = told(anEvent('rollout.started'))
    await Promise.all([sendNotification(deps, name), sendNotification(deps, name), sendNotification(deps, name)])
    expect(sent).toHaveLength(2)
    const dying = told(anEvent('rollout.started', { id: 'second' }))
    const { messenger } = deps
    void sendNotification({ ...deps, messenger: { send: () => new Promise(() => undefined) } }, dying)
    await new Promise((resolve) => setImmediate(resolve))
    await sendNotification({ ...deps, messenger }, dying)
    expect(sent).toHaveLength(2)
    expect(store.get('notification', dying).dueAt).toBe(later(241_000))
    now += 2 * MINUTE
    await sendNotification(deps, dying)
    expect(states(dying)).toEqual(['slack/shop sent 2', 'teams/shop sent 2'])
  })

  it('waits for the end of quiet hours and then tells only what is still news', async () => {
    useChat({ channel: 'C024BE91L', quietHours: { from: '09:00', to: '11:00', timeZone: 'UTC' } })
    const started = told(anEvent('rollout.started'))
    const ended = told(anEvent('rollout.succeeded', { id: 'end', time: later(180_000) }))
    for (const name of [started, ended]) await sendNotification(deps, name)
    expect(sent).toEqual([])
    expect(store.get('notification', started).dueAt).toBe('2026-05-01T11:00:00.000Z')
    store.put(aService({ rollouts: [aRollout('succeeded')] }))
    now = Date.parse('2026-05-01T11:00:00.000Z')
    for (const name of [started, ended]) await sendNotification(deps, name)
    expect(sends(started)).toMatchObject([{ state: 'skipped', message: 'the rollout is succeeded by now' }])
    expect(states(ended)).toEqual(['slack/shop sent 1'])
    expect(sent).toMatchObject([{ text: expect.stringContaining('shop/web: v2 was promoted') }])
  })

  it('goes to the channel that the team names when it is sent', async () => {
    trouble.slack = throttled(1000)
    trouble.teams = new PortError('unavailable', 'Teams', 'Teams cannot be reached')
    const name = told(anEvent('rollout.started'))
    await sendNotification(deps, name)
    useChat({ channel: 'C0NEWROOM1' })
    trouble = {}
    now += MINUTE
    await sendNotification(deps, name)
    expect(sent).toMatchObject([{ channel: 'C0NEWROOM1' }])
    expect(sends(name).map(({ state }) => state)).toEqual(['sent', 'skipped'])
  })

  it('that cannot be made is tried again, and the log says that it is a defect', async () => {
    useChat({ teamsSecret: 'teams-shop' })
    const name = told(anEvent('rollout.started'))
    await sendNotification({ ...deps, webhook: () => Promise.reject(new TypeError('secret text')) }, name)
    expect(sends(name)).toMatchObject([{ state: 'waiting', message: 'the message could not be made' }])
    expect(logged).toContain('error notification.defect')
  })
})

describe('an event that people are told of', () => {
  it('makes one notification when it is relayed twice', async () => {
    const event = anEvent('rollout.started')
    const outbox = [{ id: event.id, kind: 'event', event } as const]
    for (let round = 0; round < 2; round += 1) {
      store.put(aService({ outbox }))
      await store.relayAll()
    }
    const { value } = await store.list('notification')
    expect(value.map(({ value: { event, ttl } }) => [event.id, ttl])).toEqual([[event.id, 7 * 24 * 3600]])
    expect(store.sent.map(({ queue, message }) => `${queue} ${message.kind}`)).toEqual(['work notify', 'work notify'])
  })
})
