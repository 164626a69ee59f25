import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { drawEvidence } from '../../../../src/http/evidence/draw-evidence.ts'
import type { EventRecord } from '../../../../src/model/event.ts'
import { timestamp } from '../../../../src/model/names.ts'
import type { Rollout } from '../../../../src/model/rollout.ts'
import { recordedOf } from '../../../../src/rollouts/evidence/recorded.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, SECOND, T0 } from '../../rollouts/fixture.ts'
import { twoWaves } from './story.ts'

const EVIL = `<script>alert(1)</script> & "quotes" 'and' \u0000\u001b[31m \ud800 ]]> –→`

function draw(rollout: Rollout, events: readonly EventRecord[], cut = false): string {
  return drawEvidence(rollout, recordedOf(rollout, events, cut), T0 + 10 * MINUTE)
}

/** All texts of a kind, wherever they stand. */
function textsOf(svg: string, tag: string): readonly string[] {
  const parsed: unknown = new XMLParser({ ignoreAttributes: true, parseTagValue: false }).parse(svg)
  const found: string[] = []
  const walk = (node: unknown, name = ''): void => {
    if (Array.isArray(node)) for (const one of node) walk(one, name)
    else if (typeof node === 'object' && node !== null)
      for (const [key, value] of Object.entries(node)) walk(value, key)
    else if (name === tag) found.push(String(node))
  }
  walk(parsed)
  return found
}

/** `rounds` looks of one gate at each cluster, ten seconds apart. */
function manyLooks(clusters: readonly string[], rounds: number): EventRecord[] {
  return clusters.flatMap((cluster) =>
    Array.from({ length: rounds }, (_, round): EventRecord => {
      const counts = { good: 1000 + round, bad: 3 }
      const verdict = {
        ...{ verdict: 'undecided', reason: 'NotClearYet', explanation: 'x'.repeat(500), alpha: 0.001 },
        ...{ candidate: counts, stable: counts, interval: [0, 0.1], eValue: 0.5, pValue: 1 },
      }
      const toMs = T0 + (round + 1) * 10 * SECOND
      const counted = { fromMs: toMs - 10 * SECOND, toMs, candidate: counts, stable: counts }
      return {
        ...{ id: `${cluster}${round}`, type: 'rollout.look', subject: 's', actor: PERSON, reason: 'r', message: 'm' },
        time: later((round + 1) * 10 * SECOND),
        data: { gate: 0, cluster, step: 0, asked: 10, counted, verdict },
      }
    }),
  )
}

describe('the picture of a rollout', () => {
  it('is what it was when someone looked at it', async () => {
    const { rollout, events } = twoWaves()
    await expect(draw(rollout, events)).toMatchFileSnapshot('two-waves.svg')
  })

  it('is XML that needs nothing from outside and runs nothing', () => {
    const { rollout, events } = twoWaves()
    const svg = draw(rollout, events)
    expect(XMLValidator.validate(svg)).toBe(true)
    expect(svg).not.toMatch(/<script|<foreignObject|<image|<use|href=|url\(|@import| on\w+=| style=/)
    expect(svg.match(/https?:[^"<]*/g)).toEqual(['http://www.w3.org/2000/svg'])
  })

  it('names every decision with its reason, and every verdict with its words', () => {
    const { rollout, events } = twoWaves()
    const svg = draw(rollout, events)
    const titles = textsOf(svg, 'title').join('\n')
    for (const { reason, message } of rollout.history) {
      expect(titles).toContain(`(${reason}): ${message}`)
      expect(textsOf(svg, '#text').concat(textsOf(svg, 'text')).join('\n')).toContain(message)
    }
    expect(titles).toMatch(/harm, 2026-05-01 10:08:50 to 2026-05-01 10:09:00: 29 of 360 requests failed/)
    expect(titles).toContain('The wave of west from 2026-05-01 10:07:00 to 2026-05-01 10:09:12')
  })

  it('tells what changed', () => {
    expect(draw(twoWaves().rollout, [])).toContain('What changed: labels.version v1 → v2')
  })

  it('holds any text as text', () => {
    const actor = { ...PERSON, name: EVIL }
    const history = [
      { from: 'pending', to: 'preflight', at: later(0), actor, reason: EVIL, message: EVIL, step: -1, weight: 0 },
    ] as const
    const rollout = aRollout('progressing', {
      ...{ history, actor, message: EVIL, strategy: EVIL, candidate: EVIL },
      targets: [aTarget(EVIL, 10)],
      changes: [{ field: EVIL, from: EVIL, to: EVIL }],
    })
    const svg = draw(rollout, manyLooks([EVIL], 3))
    expect(XMLValidator.validate(svg)).toBe(true)
    expect(svg).not.toContain('<script')
    expect(svg).not.toContain('\u0000')
    expect(svg.isWellFormed()).toBe(true)
    expect(textsOf(svg, 'title').join()).toContain('<script>alert(1)</script> & "quotes"')
  })

  it('of a gate on a value shows its values and bounds in place of shares and evidence', () => {
    const gates = [{ kind: 'value', name: 'queue', query: 'up', max: 80 }] as const
    const values = [40, 60, 95]
    const events = manyLooks(['east'], 3).map((event, index) => {
      const value = { candidate: values[index], max: 80, breaches: 0, looks: 3 }
      const none = { good: 0, bad: 0 }
      const verdict = { ...Object(event.data?.verdict), candidate: none, stable: none, alpha: 0, value }
      return { ...event, data: { ...event.data, verdict } }
    })
    const svg = draw(aRollout('progressing', { gates }), events)
    expect(XMLValidator.validate(svg)).toBe(true)
    expect(svg).toContain('>bound 80<')
    expect(svg).toContain('>queue (at most 80)<')
    expect(svg).not.toContain('evidence 1')
    // Scale from 40 − 5.5 to 95 + 5.5, drawn from 96 up to 6: 60 is at 96 − 90 × 25.5 / 66.
    expect(svg).toContain('M273.8 88.5L285.8 61.2L297.7 13.5')
    const blind = events.map((event) => ({
      ...event,
      data: { ...event.data, verdict: { ...Object(event.data?.verdict), value: undefined, verdict: 'blind' } },
    }))
    expect(draw(aRollout('progressing', { gates }), blind)).not.toMatch(/NaN|Infinity/)
  })

  it('is there before anything has happened', () => {
    const svg = draw(aRollout('pending', { history: [] }), [])
    expect(XMLValidator.validate(svg)).toBe(true)
    expect(svg).not.toContain('NaN')
  })

  it('of a day on forty clusters stays small and says what it leaves out', () => {
    const clusters = Array.from({ length: 40 }, (_, index) => `cluster-${index}`)
    const events = [...manyLooks(clusters, 300), ...manyLooks(['loud'], 8640)]
    const history = Array.from({ length: 100 }, (_, index) => ({
      ...({ from: 'paused', to: 'paused', actor: PERSON, reason: 'Again', message: 'm'.repeat(2000) } as const),
      ...{ at: timestamp(T0 + index * MINUTE), step: 0, weight: 10 },
    }))
    const targets = ['loud', ...clusters].map((cluster) => aTarget(cluster, 10))
    const svg = draw(aRollout('aborted', { targets, history, endedAt: later(24 * 60 * MINUTE) }), events, true)
    expect(XMLValidator.validate(svg)).toBe(true)
    expect(svg.length).toBeLessThan(400_000)
    const notes = textsOf(svg, 'text').concat(textsOf(svg, '#text'))
    for (const note of [
      '21 more clusters',
      '29 more panels of gates',
      '40 earlier decisions',
      'thinned to 160',
      'newest looks',
    ]) {
      expect(notes.join('\n')).toContain(note)
    }
  })
})
