import { AdaptiveCard, SerializationContext } from 'adaptivecards'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { certificateStory } from '../../../../src/chat/cards/certificate-story.ts'
import { rolloutStory } from '../../../../src/chat/cards/rollout-story.ts'
import { TEAMS_BYTES, teamsMessage } from '../../../../src/chat/cards/teams-card.ts'
import { aProgress, aRollout, aTarget } from '../../rollouts/fixture.ts'
import { aHarmfulRollout, anEvent, HARM } from './a-story.ts'

const SITE = 'https://mesh.example.com'
const TYPES = [
  'rollout.started',
  'rollout.awaiting-approval',
  'rollout.rolling-back',
  'rollout.rolled-back',
  'rollout.aborted',
  'rollout.failed',
  'rollout.succeeded',
  'rollout.paused',
  'rollout.blind',
  'rollout.wave-passed',
  'rollout.approved',
  'rollout.harm-frozen',
  'rollout.glass-broken',
  'rollout.held',
]

interface Envelope {
  readonly type: string
  readonly attachments: readonly { readonly contentType: string; readonly content: Record<string, unknown> }[]
}

function cardOf(message: unknown): Record<string, unknown> {
  const { type, attachments } = message as Envelope
  expect(type).toBe('message')
  expect(attachments.map(({ contentType }) => contentType)).toEqual(['application/vnd.microsoft.card.adaptive'])
  return attachments[0]?.content ?? {}
}

/** What the parser of the Adaptive Cards library finds against its schema: wrong types, values, missing fields. */
function complaintsOf(card: Record<string, unknown>): readonly string[] {
  const context = new SerializationContext()
  const parsed = new AdaptiveCard()
  parsed.parse(card, context)
  const events = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message)
  return [...events, ...parsed.validateProperties().validationEvents.map(({ message }) => message)]
}

/** Every text that a person sees. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    (name === 'text' || name === 'title' || name === 'fallbackText') && typeof inner === 'string'
      ? [inner]
      : textsOf(inner),
  )
}

describe('a card', () => {
  it.each(TYPES)('of %s is valid by the schema, with a rollout and without', (type) => {
    for (const rollout of [aHarmfulRollout(), undefined]) {
      const card = cardOf(teamsMessage(rolloutStory('n1', anEvent(type), rollout, SITE)))
      expect(complaintsOf(card)).toEqual([])
      expect(card).toMatchObject({ type: 'AdaptiveCard', version: '1.4' })
    }
  })

  it.each(['near-expiry', 'awaiting-issuer', 'rotated', 'rotation-failed'])('of a certificate is: %s', (type) => {
    const event = anEvent(`certificate.${type}`, { subject: 'certificates/web-tls', message: 'Ends in 7 days.' })
    const card = cardOf(teamsMessage(certificateStory('n1', event, undefined, SITE)))
    expect(complaintsOf(card)).toEqual([])
    expect(textsOf(card).join('\n')).toContain('Certificate web-tls')
  })

  it('that is wrong would be found', () => {
    const wrong = { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'Column', width: true }, { type: 'Nothing' }] }
    expect(complaintsOf(wrong)).not.toEqual([])
    expect(
      complaintsOf({ type: 'AdaptiveCard', version: '1.4', body: [], actions: [{ type: 'Action.OpenUrl' }] }),
    ).not.toEqual([])
  })

  it('shows the decision in numbers: weights, counts, limit, evidence and verdict', () => {
    const card = cardOf(teamsMessage(rolloutStory('n1', anEvent('rollout.rolling-back'), aHarmfulRollout(), SITE)))
    const texts = textsOf(card)
    expect(texts).toContain('shop/web: harm seen, v2 is being rolled back')
    expect(texts).toContain('█████░░░░░')
    expect(texts).toContain('50 % v2')
    expect(texts).toContain('12 of 240 bad (5 %), limit 1 %')
    expect(texts.map((text) => text.trim())).toContain('evidence 3.1e7 of 100')
    expect(texts.indexOf('harm')).toBeLessThan(texts.indexOf('safe'))
  })

  it('links to the run, the evidence and the dashboard, by https only, and does nothing else', () => {
    const actions = (runUrl: string) => {
      const rollout = aHarmfulRollout({ source: { runUrl } })
      const card = cardOf(teamsMessage(rolloutStory('n1', anEvent('rollout.started'), rollout, SITE)))
      return (card.actions as { type: string; url: string }[]).map(({ type, url }) => `${type} ${url}`)
    }
    expect(actions('https://ci.example.com/7')).toEqual([
      'Action.OpenUrl https://ci.example.com/7',
      'Action.OpenUrl https://mesh.example.com/api/v1/rollouts/shop.web.k3/evidence',
      'Action.OpenUrl https://mesh.example.com/',
    ])
    for (const bad of ['http://ci.example.com', 'javascript:alert(1)', 'https://u:p@ci.example.com', 'ms-word:x'])
      expect(actions(bad)).toHaveLength(2)
  })

  it('takes words of others as plain text: only in text runs, which know no markdown, with nothing unseen', () => {
    const evil = 'see [here](https://evil.example)\n# big\u202e <at>all</at> **x**'
    const event = anEvent('rollout.paused', { message: evil, actor: { kind: 'person', id: 'p', name: evil } })
    const card = cardOf(teamsMessage(rolloutStory('n1', event, aHarmfulRollout(), SITE)))
    const text = JSON.stringify(card)
    expect(text).not.toMatch(/\\n|\u202e/)
    expect(text).not.toMatch(/"type":"(TextBlock|FactSet|Image)"/)
    expect(text).toContain('see [here](https://evil.example) # big <at>all</at> **x**')
    expect(complaintsOf(card)).toEqual([])
  })

  it('fits into what Teams takes, whatever is in it', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 3000 })
    const sizes = fc.record({ message: word, name: word, reason: word, clusters: fc.nat(120), gates: fc.nat(16) })
    fc.assert(
      fc.property(sizes, ({ message, name, reason, clusters, gates }) => {
        const names = Array.from({ length: clusters }, (_, index) => `cluster-${index}-${'x'.repeat(50)}`)
        const rollout = aRollout('progressing', {
          targets: names.map((cluster) => aTarget(cluster, 10)),
          gates: Array.from({ length: gates }, () => ({ kind: 'errors', limitPercent: 1 })),
          progress: names.flatMap((cluster) =>
            Array.from({ length: gates }, (_, gate) => aProgress(cluster, { gate, last: HARM })),
          ),
        })
        const event = anEvent('rollout.started', { message, reason, actor: { kind: 'person', id: 'p', name } })
        const sent = teamsMessage(rolloutStory('n1', event, rollout, SITE))
        expect(Buffer.byteLength(JSON.stringify(sent))).toBeLessThanOrEqual(TEAMS_BYTES)
        expect(complaintsOf(cardOf(sent))).toEqual([])
        if (clusters > 20) expect(textsOf(cardOf(sent)).join('\n')).toContain('the evidence has all')
      }),
      { numRuns: 30 },
    )
  })

  it('is cut to a summary when even that is too much', () => {
    const runUrl = `https://ci.example.com/${'x'.repeat(1900)}`
    const story = rolloutStory('n1', anEvent('rollout.started'), aHarmfulRollout({ source: { runUrl } }), SITE)
    const links = Array.from({ length: 12 }, () => story.links[0]).flatMap((link) => (link ? [link] : []))
    const card = cardOf(teamsMessage({ ...story, links, words: 'ü'.repeat(5000) }))
    expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThan(4000)
    expect(textsOf(card)).toContain('shop/web: rollout of v2 started')
    expect(card.actions).toEqual([])
  })
})
