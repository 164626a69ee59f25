import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeMrkdwn, plainText } from '../../../../src/chat/cards/plain-text.ts'
import { rolloutStory } from '../../../../src/chat/cards/rollout-story.ts'
import { slackMessage } from '../../../../src/chat/cards/slack-message.ts'
import { parseCommand } from '../../../../src/chat/parse-command.ts'
import { judgeValue } from '../../../../src/judge/judge-value.ts'
import type { Rollout } from '../../../../src/model/rollout.ts'
import { wrongInBlocks } from '../../../../src/sandbox/emulators/slack/blocks.ts'
import { aProgress, aRollout, aTarget } from '../../rollouts/fixture.ts'
import { aHarmfulRollout, anEvent, HARM } from './a-story.ts'

interface Block {
  readonly type: string
  readonly text?: { readonly type: string; readonly text: string }
  readonly elements?: readonly { readonly action_id: string; readonly value: string; readonly text: string }[]
}

function told(type: string, rollout: Rollout | undefined, site?: string) {
  const { text, blocks } = slackMessage(rolloutStory('n1', anEvent(type), rollout, site))
  return { text, blocks: blocks as readonly Block[] }
}

describe('a Slack message', () => {
  it('shows the decision in numbers, in columns', () => {
    const { text, blocks } = told('rollout.rolling-back', aHarmfulRollout(), 'https://mesh.example.com')
    expect(text).toContain('shop/web: harm seen, v2 is being rolled back. gate errors on west')
    const pictures = blocks.flatMap((block) => (block.text?.text.includes('```') ? [block.text.text] : []))
    expect(pictures).toEqual([
      '*Requests to the candidate*\n```\neast  █████░░░░░  50 % v2  seen 49.6 %\nwest  █████░░░░░  50 % v2\n```',
      '*Gates*\n```\nwest  errors  harm  12 of 240 bad (5 %), limit 1 %  evidence 3.1e7 of 100\neast  errors  safe  0 of 240 bad (0 %), limit 1 %   evidence 0.012 of 100\n```',
    ])
    expect(JSON.stringify(blocks.at(-1))).toContain('<https://ci.example.com/runs/7?a=1&amp;b=2|Run>')
    expect(wrongInBlocks(blocks)).toBeUndefined()
  })

  it('shows what a gate on a value saw', () => {
    const last = judgeValue({ value: 912.3, max: 800, looks: 3, breaches: 2 })
    const gates = [{ kind: 'value', name: 'p99', query: 'x', max: 800 }] as const
    const { blocks } = told('rollout.rolling-back', aHarmfulRollout({ gates, progress: [aProgress('east', { last })] }))
    expect(blocks.map((block) => block.text?.text).join('\n')).toContain(
      'east  p99 (at most 800)  harm  value 912  out of bounds 3 of 3 looks',
    )
  })

  it.each([
    ['progressing', ['promote', 'pause', 'abort']],
    ['paused', ['promote', 'resume', 'abort']],
    ['awaiting-approval', ['approve', 'reject', 'promote', 'pause', 'abort']],
    ['rolling-back', []],
    ['succeeded', []],
  ] as const)('has the buttons that do something to a rollout that is %s', (phase, verbs) => {
    const { blocks } = told('rollout.started', aRollout(phase))
    const buttons = blocks.find(({ type }) => type === 'actions')?.elements ?? []
    expect(buttons.map((button) => button.action_id)).toEqual(verbs.map((verb) => `meshwright.${verb}`))
    for (const { action_id, value } of buttons)
      expect(value).toBe(/approve|reject/.test(action_id) ? 'shop.web.k3 wave 1 step 1' : 'shop.web.k3')
  })

  it('has buttons that approve and reject the step of the message, as a command is read', () => {
    const { blocks } = told('rollout.awaiting-approval', aRollout('awaiting-approval', { wave: 1, step: 2 }))
    const buttons = blocks.find(({ type }) => type === 'actions')?.elements ?? []
    for (const verb of ['approve', 'reject']) {
      const { value = '' } = buttons.find(({ action_id }) => action_id === `meshwright.${verb}`) ?? {}
      const command = { verb, target: { kind: 'rollout', id: 'shop.web.k3' }, note: '', at: { wave: 1, step: 2 } }
      expect(parseCommand(`${verb} ${value}`)).toEqual({ ok: true, command })
    }
  })

  it('keeps to the limits of Block Kit, whatever is in it', () => {
    const word = fc.string({ unit: 'binary', maxLength: 4000 })
    fc.assert(
      fc.property(word, word, word, fc.nat(100), (message, name, commit, clusters) => {
        const names = Array.from({ length: clusters }, (_, index) => `cluster-${index}-${'x'.repeat(50)}`)
        const rollout = aRollout('progressing', {
          source: { commit },
          targets: names.map((cluster) => aTarget(cluster, 10)),
          progress: names.map((cluster) => aProgress(cluster, { last: HARM })),
        })
        const event = anEvent('rollout.started', { message, reason: name, actor: { kind: 'person', id: 'p', name } })
        const { text, blocks } = slackMessage(rolloutStory('n1', event, rollout, 'https://mesh.example.com'))
        expect(wrongInBlocks(blocks)).toBeUndefined()
        expect(text.length).toBeLessThan(40_000)
      }),
      { numRuns: 50 },
    )
  })

  it('makes no link, mention or format of words of others', () => {
    const evil = '<!channel> <https://evil.example|here> *bold* _x_ `code` & <@U1>'
    const event = anEvent('rollout.paused', { message: evil, actor: { kind: 'person', id: 'p', name: evil } })
    const { text, blocks } = slackMessage(rolloutStory('n1', event, undefined, undefined))
    for (const shown of [text, ...mrkdwnOf(blocks)]) {
      expect(shown).not.toMatch(/<[^>]*(channel|evil|@U1)/)
      expect(shown).not.toMatch(/[^\u200b]\*bold/)
    }
  })
})

function mrkdwnOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(mrkdwnOf)
  if (typeof value !== 'object' || value === null) return []
  const { type, text } = value as Record<string, unknown>
  return type === 'mrkdwn' ? [String(text)] : Object.values(value).flatMap(mrkdwnOf)
}

describe('words of others', () => {
  it('are one line of bounded length, with nothing that cannot be seen', () => {
    expect(plainText(' a\n\tb\u0000c \u202edrow\u2066 \u200b', 100)).toBe('a b c drow')
    expect(plainText('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`)
    expect(plainText('😀😀😀', 4)).toBe('😀…')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 2, max: 50 }), (text, most) => {
        const plain = plainText(text, most)
        expect(plain.length).toBeLessThanOrEqual(most)
        expect(plain.isWellFormed()).toBe(true)
        expect(plain).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  it('escaped for mrkdwn hold no angle bracket', () => {
    fc.assert(fc.property(fc.string(), (text) => !/[<>]/.test(escapeMrkdwn(text))))
    expect(escapeMrkdwn('a < b & c')).toBe('a &lt; b &amp; c')
  })
})
