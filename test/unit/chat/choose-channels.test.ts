import { describe, expect, it } from 'vitest'
import { chooseChannels } from '../../../src/chat/choose-channels.ts'
import { overtakenCertificate, overtakenRollout } from '../../../src/chat/overtaken.ts'
import type { CertificateDocument } from '../../../src/model/documents.ts'
import { noticeOf } from '../../../src/model/notification.ts'
import type { TeamSpec } from '../../../src/model/team.ts'
import { aRollout, later, PERSON } from '../rollouts/fixture.ts'
import { anEvent } from './cards/a-story.ts'

const NOW = Date.parse('2026-05-01T10:03:00.000Z')
const BOTH = { channel: 'C024BE91L', teamsSecret: 'teams-shop' }

function channels(type: string, chat: TeamSpec['chat'], now = NOW): readonly string[] {
  return chooseChannels(anEvent(type), { name: 'shop', chat }, now).map(({ channel, notBefore }) =>
    notBefore === undefined ? channel : `${channel} ${notBefore}`,
  )
}

describe('an event', () => {
  it('goes to the channels of the team, in the order Slack, Teams', () => {
    expect(channels('rollout.started', BOTH)).toEqual(['slack/shop', 'teams/shop'])
    expect(channels('rollout.started', { channel: 'C024BE91L' })).toEqual(['slack/shop'])
    expect(channels('rollout.started', {})).toEqual([])
    expect(channels('rollout.started', undefined)).toEqual([])
  })

  it('goes only where its notice is wanted', () => {
    expect(channels('rollout.started', { ...BOTH, notices: ['harm'] })).toEqual([])
    expect(channels('rollout.rolling-back', { ...BOTH, notices: ['harm'] })).toHaveLength(2)
    expect(channels('rollout.look', BOTH)).toEqual([])
    expect(channels('toString', BOTH)).toEqual([])
  })

  it('waits for the end of quiet hours, but not when it is urgent; patience begins then', () => {
    const quietHours = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' }
    const night = Date.parse('2026-05-01T23:00:00.000Z')
    expect(channels('rollout.succeeded', { channel: 'C024BE91L', quietHours }, night)).toEqual([
      'slack/shop 2026-05-02T04:00:00.000Z',
    ])
    const urgent = [
      'rolling-back',
      'harm-frozen',
      'rolled-back',
      'aborted',
      'failed',
      'awaiting-approval',
      'glass-broken',
    ]
    for (const type of urgent)
      expect(channels(`rollout.${type}`, { channel: 'C024BE91L', quietHours }, night)).toEqual(['slack/shop'])
    const [send] = chooseChannels(anEvent('rollout.started'), { name: 'shop', chat: { ...BOTH, quietHours } }, night)
    expect(send).toMatchObject({ state: 'waiting', attempts: 0, giveUpAt: '2026-05-03T04:00:00.000Z' })
  })

  it('of missing metrics waits a minute: most come back', () => {
    expect(channels('rollout.blind', { channel: 'C024BE91L' }, Date.parse(later(121_000)))).toEqual([
      `slack/shop ${later(180_000)}`,
    ])
  })

  it('of a way back that a person began is none: the end is told', () => {
    expect(noticeOf(anEvent('rollout.rolling-back', { actor: PERSON }))).toBeUndefined()
    expect(noticeOf(anEvent('rollout.rolling-back'))).toBe('harm')
    const alert = { kind: 'alert', id: 'a', name: 'HighErrorRate' } as const
    expect(noticeOf(anEvent('rollout.rolling-back', { actor: alert }))).toBe('harm')
  })
})

describe('news', () => {
  const overtaken = (type: string, ...[rollout, notices]: readonly [ReturnType<typeof aRollout>, 'harm'?]) =>
    overtakenRollout(anEvent(type), rollout, notices && [notices]) !== undefined
  const since = (seconds: number) => ({ phaseSince: later(seconds * 1000) })

  it('of a start or of harm is old when the rollout is over, for those who hear of the end', () => {
    expect(overtaken('rollout.started', aRollout('progressing', since(300)))).toBe(false)
    expect(overtaken('rollout.started', aRollout('succeeded'))).toBe(true)
    expect(overtaken('rollout.rolling-back', aRollout('rolled-back'))).toBe(true)
    expect(overtaken('rollout.rolling-back', aRollout('rolled-back'), 'harm')).toBe(false)
    expect(overtaken('rollout.rolled-back', aRollout('rolled-back', since(300)))).toBe(false)
  })

  it('of waiting is old when the rollout has gone on, but not when it was read from before', () => {
    expect(overtaken('rollout.paused', aRollout('progressing', since(300)))).toBe(true)
    expect(overtaken('rollout.paused', aRollout('paused', since(120)))).toBe(false)
    expect(overtaken('rollout.paused', aRollout('progressing', since(60)))).toBe(false)
    expect(overtakenRollout(anEvent('rollout.paused'), undefined, undefined)).toBeUndefined()
  })

  it('of what holds a rollout back is old when nothing does', () => {
    const at = (seconds: number, reason: string) => aRollout('pending', { reason, updatedAt: later(seconds * 1000) })
    expect(overtaken('rollout.held', at(300, 'Frozen'))).toBe(false)
    expect(overtaken('rollout.held', at(300, 'Preflight'))).toBe(true)
    expect(overtaken('rollout.held', at(60, 'Started'))).toBe(false)
  })

  it('of a certificate is old when it was rotated since', () => {
    const rotated = (phase: string, endedAt: string) =>
      ({ rotation: { phase, endedAt } }) as unknown as CertificateDocument
    const event = anEvent('certificate.near-expiry')
    expect(overtakenCertificate(event, rotated('succeeded', later(180_000)))).toBeDefined()
    expect(overtakenCertificate(event, rotated('succeeded', later(60_000)))).toBeUndefined()
    expect(overtakenCertificate(event, rotated('failed', later(180_000)))).toBeUndefined()
    expect(overtakenCertificate(event, undefined)).toBeUndefined()
    const waiting = anEvent('certificate.awaiting-issuer')
    const since = (phaseSince: string) =>
      ({ rotation: { phase: 'delivering', phaseSince } }) as unknown as CertificateDocument
    expect(overtakenCertificate(waiting, since(later(180_000)))).toBe('it waits no longer')
    expect(overtakenCertificate(waiting, since(waiting.time))).toBeUndefined()
  })
})
