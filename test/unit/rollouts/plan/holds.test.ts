import { describe, expect, it } from 'vitest'
import type { FreezeDocument } from '../../../../src/model/documents.ts'
import { freezeSpec } from '../../../../src/model/freeze.ts'
import { type HoldAt, holdsOf, passHolds as pass } from '../../../../src/rollouts/plan/holds.ts'
import { AT, aCluster, aService } from '../../fakes/documents.ts'
import { later, MINUTE, PERSON, T0 } from '../fixture.ts'

function aFreeze(name: string, spec: Readonly<Record<string, unknown>>): FreezeDocument {
  const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] } as const
  return { ...base, kind: 'freeze', name, spec: freezeSpec.parse({ reason: 'rest', ...spec }) }
}

const holds = (freezes: readonly FreezeDocument[], change: Parameters<typeof holdsOf>[1] = {}) =>
  holdsOf(aService(), change, [aCluster('east')], freezes)

const passHolds = (holdAt: HoldAt, ms: number) => pass(holdAt, ms, ['east'])

describe('what holds a rollout at some time', () => {
  it('is nothing without freezes and windows', () => {
    expect(passHolds(holds([]), T0)).toEqual({ ms: T0, holds: [] })
  })

  it('is a freeze that covers rollouts on one of its clusters, until its end', () => {
    const xmas = aFreeze('xmas', { until: later(30 * MINUTE) })
    const elsewhere = aFreeze('west', { scope: { clusters: ['west'] } })
    expect(pass(holds([xmas]), T0, []).holds).toEqual([])
    const other = aFreeze('config', { covers: ['configuration'] })
    expect(passHolds(holds([elsewhere, other, xmas]), T0)).toEqual({
      ms: T0 + 30 * MINUTE,
      holds: [
        {
          reason: 'Frozen',
          message: `freeze xmas (rest) holds until ${later(30 * MINUTE)}`,
          untilMs: T0 + 30 * MINUTE,
        },
      ],
    })
  })

  it('is the next one when that is over', () => {
    const freezes = [
      aFreeze('one', { until: later(10 * MINUTE) }),
      aFreeze('two', { from: later(5 * MINUTE), until: later(20 * MINUTE) }),
    ]
    const passed = passHolds(holds(freezes), T0)
    expect(passed.ms).toBe(T0 + 20 * MINUTE)
    expect(passed.holds.map(({ message }) => message.slice(0, 10))).toEqual(['freeze one', 'freeze two'])
  })

  it('is one without an end: the time stays, for nobody knows', () => {
    const passed = passHolds(holds([aFreeze('stop', {})]), T0)
    expect(passed).toEqual({
      ms: T0,
      holds: [{ reason: 'Frozen', message: 'freeze stop (rest) holds until it is deleted' }],
    })
  })

  it('is the time until a change window opens', () => {
    // T0 is a Friday, ten o’clock in UTC.
    const windows = [{ cron: '0 12 * * *', for: '1h', timeZone: 'UTC' }]
    expect(passHolds(holds([], { windows }), T0)).toMatchObject({
      ms: T0 + 120 * MINUTE,
      holds: [{ reason: 'OutsideWindow' }],
    })
    expect(passHolds(holds([], { windows }), T0 + 130 * MINUTE).holds).toEqual([])
  })

  it('is nothing once the glass is broken', () => {
    const breakGlass = { actor: PERSON, reason: 'outage', at: later(0) }
    expect(passHolds(holds([aFreeze('stop', {})], { breakGlass }), T0).holds).toEqual([])
  })
})
