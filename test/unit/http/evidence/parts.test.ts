import { describe, expect, it } from 'vitest'
import { gatePanels } from '../../../../src/http/evidence/gate-panels.ts'
import { heightOf, logHeightOf, niceAbove, timeTicks } from '../../../../src/http/evidence/scale.ts'
import { thin } from '../../../../src/http/evidence/thin.ts'
import { weightLanes } from '../../../../src/http/evidence/weight-lanes.ts'
import { recordedOf } from '../../../../src/rollouts/evidence/recorded.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, SECOND, T0 } from '../../rollouts/fixture.ts'
import { twoWaves } from './story.ts'

const { rollout, events } = twoWaves()
const recorded = recordedOf(rollout, events, false)
const at = (seconds: number) => T0 + seconds * SECOND

describe('weights over time', () => {
  const [east, west] = weightLanes(rollout, recorded, at(552), 100)

  it('are what each cluster was asked, wave by wave, down to the way back', () => {
    expect(east?.asked).toEqual([
      { at: at(5), weight: 0 },
      { at: at(20), weight: 10 },
      { at: at(180), weight: 50 },
      { at: at(330), weight: 100 },
      { at: at(540), weight: 0 },
    ])
    expect(west?.asked.map(({ weight }) => weight)).toEqual([0, 10, 0])
  })

  it('have the time of the wave behind them', () => {
    expect([east?.active, west?.active]).toEqual([
      [at(5), at(420)],
      [at(420), at(552)],
    ])
  })

  it('are seen in the windows that were counted, and not while gates were blind', () => {
    const [first, second] = east?.observed ?? []
    expect(first).toEqual({ at: at(30), weight: expect.closeTo(10.22, 2) })
    expect(second?.at).toBe(at(40))
    expect(east?.observed.some((point) => point.at > at(85) && point.at < at(125))).toBe(false)
  })

  it('follow from the history alone where no event tells the weights of all clusters', () => {
    const lanes = weightLanes(rollout, recordedOf(rollout, [], false), at(552), 100)
    expect(lanes.map(({ asked }) => asked.map(({ weight }) => weight))).toEqual([
      [0, 10, 50, 100, 0],
      [0, 10, 0],
    ])
  })
})

describe('what gates saw', () => {
  const { panels } = gatePanels(rollout, recorded, { mostPanels: 9, mostPoints: 100 })

  it('is a panel for each gate on each cluster, with shares and intervals of both versions', () => {
    expect(panels.map(({ gate, cluster, limit }) => [gate, cluster, limit])).toEqual([
      ['errors', 'east', 0.01],
      ['errors', 'west', 0.01],
    ])
    const last = panels[1]?.points.at(-1)
    expect(last?.candidate).toMatchObject({ share: 29 / 360 })
    expect(last?.stable).toMatchObject({ share: 10 / 3240 })
    const { low = 1, high = 0 } = last?.stable ?? {}
    expect(low).toBeLessThan(10 / 3240)
    expect(high).toBeGreaterThan(10 / 3240)
    expect(last?.bar).toBeCloseTo(300)
  })

  it('does not join what was counted apart', () => {
    expect([...new Set(panels[0]?.points.map(({ stretch }) => stretch))]).toEqual(['0 0 10', '0 1 50', '0 1 100'])
  })

  it('tells each verdict from when it was said to when it was another', () => {
    const spans = panels[0]?.verdicts.map(({ verdict, fromMs, toMs }) => [
      verdict,
      (fromMs - T0) / 1000,
      (toMs - T0) / 1000,
    ])
    expect(spans?.slice(0, 3)).toEqual([
      ['undecided', 25, 90],
      ['blind', 100, 130],
      ['safe', 130, 180],
    ])
  })

  it('keeps the panel with harm when there is room for one', () => {
    const one = gatePanels(rollout, recorded, { mostPanels: 1, mostPoints: 100 })
    expect(one).toMatchObject({ panels: [{ cluster: 'west' }], left: 1, thinned: false })
  })
})

describe('what is recorded of a rollout', () => {
  it('is in the order of time, and a transition that both event and history tell is there once', () => {
    const decisions = recordedOf(rollout, [...events].reverse(), false).decisions
    expect(decisions.map((decision) => decision.at)).toEqual(rollout.history.map((move) => Date.parse(move.at)))
    expect(decisions[1]?.weights).toEqual({ east: 10, west: 0 })
  })

  it('leaves out events that tell too little, as one of an older version might', () => {
    const odd = {
      id: 'o',
      type: 'rollout.look',
      time: later(0),
      subject: 's',
      actor: PERSON,
      reason: 'r',
      message: 'm',
    }
    const { looks } = recordedOf(aRollout('paused'), [odd, { ...odd, data: { gate: 0 } }], false)
    expect(looks).toEqual([])
  })

  it('has no times for a wave that never began', () => {
    const waves = ['east', 'west'].map((cluster) => ({ name: cluster, clusters: [cluster], steps: [], bakeMs: 0 }))
    const started = aRollout('pending', { waves, targets: [aTarget('east', 0), aTarget('west', 0)] })
    const [, second] = weightLanes(started, recordedOf(started, [], false), T0 + MINUTE, 100)
    expect(second).toEqual({ cluster: 'west', wave: 1, asked: [], observed: [] })
  })
})

describe('thinning', () => {
  const points = Array.from({ length: 1000 }, (_, index) => ({ at: index, weight: index === 517 ? 9 : 1 }))

  it('keeps the first, the last and what weighs most', () => {
    const kept = thin(points, 50, ({ weight }) => weight)
    expect(kept.length).toBeLessThanOrEqual(50)
    expect(kept.length).toBeGreaterThan(20)
    expect([kept[0]?.at, kept.at(-1)?.at]).toEqual([0, 999])
    expect(kept.some(({ weight }) => weight === 9)).toBe(true)
  })

  it('leaves what is short enough as it is', () => {
    expect(thin(points, 1000, () => 1)).toBe(points)
  })

  it('takes points of one moment', () => {
    const same = Array.from({ length: 100 }, () => ({ at: 5 }))
    expect(thin(same, 10, () => 1).length).toBeLessThanOrEqual(10)
  })
})

describe('scales', () => {
  it('have round times, nine at most', () => {
    expect(timeTicks({ fromMs: at(0), toMs: at(552) }).map(({ words }) => words)).toEqual([
      '10:00',
      '10:02',
      '10:04',
      '10:06',
      '10:08',
    ])
    expect(timeTicks({ fromMs: at(0), toMs: at(12) }).map(({ words }) => words)[1]).toBe('10:00:02')
    expect(timeTicks({ fromMs: at(0), toMs: at(6 * 86_400) }).map(({ words }) => words)[0]).toBe('05-02')
    for (const days of [0.0001, 0.01, 0.4, 3, 30, 400]) {
      expect(timeTicks({ fromMs: T0, toMs: T0 + days * 86_400_000 }).length).toBeLessThanOrEqual(9)
    }
  })

  it('put what is beyond at the edge', () => {
    const heights = { top: 0, bottom: 100 }
    expect([-1, 0, 5, 10, 99].map((value) => heightOf(value, 10, heights))).toEqual([100, 100, 50, 0, 0])
    expect([0, 0.1, 1, 10, 1e9].map((value) => logHeightOf(value, [0.1, 10], heights))).toEqual([100, 100, 50, 0, 0])
  })

  it('end at one, two or five times a power of ten', () => {
    expect([0.011, 0.02, 0.03, 7, 100].map(niceAbove)).toEqual([0.02, 0.02, 0.05, 10, 100])
  })
})
