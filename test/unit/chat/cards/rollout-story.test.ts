import { describe, expect, it } from 'vitest'
import { rolloutStory } from '../../../../src/chat/cards/rollout-story.ts'
import { slackMessage } from '../../../../src/chat/cards/slack-message.ts'
import type { Story } from '../../../../src/chat/cards/story.ts'
import { teamsMessage } from '../../../../src/chat/cards/teams-card.ts'
import type { EventRecord } from '../../../../src/model/event.ts'
import { GATE, MESHWRIGHT } from '../../../../src/model/identity.ts'
import type { Rollout } from '../../../../src/model/rollout.ts'
import { aRollout, aTarget, later, PERSON } from '../../rollouts/fixture.ts'
import { anEvent } from './a-story.ts'

const GRACE = { kind: 'person', id: 'p2', name: 'Grace' } as const
const QUORUM = [{ weight: 10, for: '1m', approval: { quorum: 2 } }]
const WAVES = [
  { name: 'canary', clusters: ['east'], steps: [{ weight: 10, for: '5m' }], bakeMs: 0 },
  { name: 'rest', clusters: ['west'], steps: [{ weight: 50, for: '5m' }], bakeMs: 0 },
]

function told(type: string, rollout: Rollout | undefined, change: Partial<EventRecord> = {}): Story {
  return rolloutStory('n1', anEvent(type, change), rollout, undefined)
}
const fact = ({ facts }: Story, name: string) => facts.find((one) => one.name === name)?.value

describe('a message about a rollout', () => {
  it('says which wave begins, whatever the rollout is at by now', () => {
    const rollout = aRollout('rolling-back', { waves: WAVES, wave: 1 })
    expect(told('rollout.wave-passed', rollout, { data: { wave: 1 } }).title).toBe(
      'shop/web: v2 goes on to wave 2 of 2 (west)',
    )
    expect(told('rollout.wave-passed', undefined, { data: { wave: 1, candidate: 'v2' } }).title).toBe(
      'shop/web: v2 goes on to the next wave',
    )
    expect(fact(told('rollout.paused', aRollout('paused', { waves: WAVES, wave: 0 })), 'Wave')).toBe('1 of 2 (east)')
    expect(fact(told('rollout.paused', aRollout('paused')), 'Wave')).toBeUndefined()
  })

  it('says who has approved, how many are needed, and who may not', () => {
    const change = { steps: QUORUM, separateDuties: true, approvals: [GRACE] }
    const asked = told('rollout.awaiting-approval', aRollout('awaiting-approval', { ...change, approvals: [] }))
    expect(fact(asked, 'Approved by')).toBe('0 of 2')
    const story = told('rollout.approved', aRollout('awaiting-approval', change), { actor: GRACE })
    expect(story.title).toBe('shop/web: 1 of 2 have approved v2')
    expect(fact(story, 'Approved by')).toBe('1 of 2: Grace')
    expect(fact(story, 'May not approve')).toBe('Ada, who started it')
    const alone = aRollout('awaiting-approval', { ...change, separateDuties: false })
    expect(fact(told('rollout.awaiting-approval', alone), 'May not approve')).toBeUndefined()
  })

  it('has the button for approvers, whoever the event is by', () => {
    const rollout = aRollout('awaiting-approval', { steps: QUORUM, separateDuties: true, approvals: [GRACE] })
    for (const actor of [PERSON, GRACE, GATE])
      expect(told('rollout.started', rollout, { actor }).verbs).toContain('approve')
  })

  it('says why it goes back: harm, an alert, a webhook, or just that it does', () => {
    const title = (change: Partial<EventRecord>) => told('rollout.rolling-back', undefined, change).title
    expect(title({ actor: GATE })).toBe('shop/web: harm seen, v2 is being rolled back')
    expect(title({ actor: { kind: 'alert', id: 'a', name: 'High' } })).toContain('an alert fired, v2')
    expect(title({ actor: MESHWRIGHT, reason: 'WebhookRefused' })).toContain('a webhook says no, v2')
    expect(title({ actor: MESHWRIGHT, reason: 'WebhookFailed' })).toContain('a webhook does not answer, v2')
    expect(title({ actor: MESHWRIGHT, reason: 'WeightNotLive' })).toBe('shop/web: v2 is being rolled back')
  })

  it('says where harm was seen and that the rest stays, in both kinds of message', () => {
    const targets = [aTarget('east', 10), aTarget('west', 0, { out: 'harm' })]
    const story = told('rollout.harm-frozen', aRollout('paused', { targets }))
    expect(story).toMatchObject({ tone: 'bad', title: 'shop/web: harm seen on west, v2 stays as it is elsewhere' })
    expect(story.weights[1]).toMatchObject({ cluster: 'west', note: 'harm seen, back on stable' })
    for (const message of [slackMessage(story), teamsMessage(story)])
      expect(JSON.stringify(message)).toContain('harm seen, back on stable')
  })

  it('names the host of a webhook and nothing else of its address', () => {
    const steps = [{ webhook: { url: 'https://checks.example.com/hooks/s3cret?sig=s3cret' } }]
    const story = told('rollout.paused', aRollout('paused', { steps }))
    expect(fact(story, 'Step')).toBe('1 of 1, webhook checks.example.com')
    for (const message of [slackMessage(story), teamsMessage(story)])
      expect(JSON.stringify(message)).not.toContain('s3cret')
  })

  it('says what matches and what is copied', () => {
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const targets = [aTarget('east', 0, { match }), aTarget('west', 0, { mirror: 50 }), aTarget('north', 10)]
    const { weights } = told('rollout.paused', aRollout('paused', { targets }))
    expect(weights.map(({ share }) => share)).toEqual(['what matches to v2', 'copies of 50 % to v2', '10 % v2'])
  })

  it('says what holds it back, who broke the glass, and what a webhook said', () => {
    const message = 'No change window is open, which holds back the start.'
    const held = aRollout('pending', { reason: 'OutsideWindow', message })
    expect(fact(told('rollout.started', held), 'Held back')).toBe(message)
    const breakGlass = { actor: GRACE, reason: 'checkout is down', at: later(0) }
    const broken = told('rollout.glass-broken', aRollout('progressing', { breakGlass }), { actor: GRACE })
    expect(broken).toMatchObject({ tone: 'warning', title: 'shop/web: the glass was broken for v2' })
    expect(fact(broken, 'Glass broken by')).toBe('Grace: checkout is down')
    const webhook = {
      attempts: 1,
      failures: 0,
      calledAt: later(0),
      outcome: 'refused',
      detail: 'ci says fail',
    } as const
    expect(fact(told('rollout.rolling-back', aRollout('rolling-back', { webhook })), 'Webhook')).toBe(
      'refused: ci says fail',
    )
  })

  it('makes the words of others plain and short', () => {
    const name = `\u202e\n${'x'.repeat(500)}`
    const breakGlass = { actor: { ...GRACE, name }, reason: name, at: later(0) }
    const { facts } = told('rollout.glass-broken', aRollout('progressing', { breakGlass }), { actor: breakGlass.actor })
    for (const { value } of facts) {
      expect(value.length).toBeLessThanOrEqual(300)
      expect(value).not.toMatch(/[\u202e\n]/)
    }
  })
})
