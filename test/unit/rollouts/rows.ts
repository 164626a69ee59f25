import { expect, it } from 'vitest'
import type { Rollout } from '../../../src/model/rollout.ts'
import { decide } from '../../../src/rollouts/decide.ts'
import type { Observations } from '../../../src/rollouts/observations.ts'
import { MINUTE, onCluster, seen, T0 } from './fixture.ts'

/** What happens to a rollout, row by row. */
export interface Row {
  readonly it: string
  readonly rollout: Rollout
  readonly sees?: Partial<Observations>
  readonly becomes: Readonly<Record<string, unknown>>
  /** Fields that it has not any more. */
  readonly without?: readonly (keyof Rollout)[]
  /** When it is looked at again, in milliseconds after T0; left out: the writer of the document sees to it, or nobody. */
  readonly next?: number
}

/** Runs `decide` on each row. What stays as it is is also decided a second time: then nothing may change. */
export function checkRows(rows: readonly Row[]): void {
  it.each(rows)('$it', ({ rollout, sees, becomes, without = [], next }) => {
    const observations = seen(rollout, sees)
    const result = decide(rollout, observations)
    expect(result).toMatchObject(becomes)
    expect(result.nextAttemptAt === undefined ? undefined : Date.parse(result.nextAttemptAt) - T0).toBe(next)
    for (const field of without) expect(result).not.toHaveProperty(field)
    if (result.phase !== rollout.phase) {
      expect(result.history.at(-1)).toMatchObject({ from: rollout.phase, to: result.phase })
    } else if (result.weightSince === rollout.weightSince) {
      expect(decide(result, { ...observations, progress: result.progress, observedWeights: {} })).toBe(result)
    }
  })
}

/** When `seen` sees, after T0. */
export const NOW = 2 * MINUTE
export const [east, west] = [onCluster(), onCluster()]
export const away = onCluster({ reachable: false })
/** Has not taken the present weight. */
export const behind = onCluster({ liveRevision: 101 })
export const obstacle = { reason: 'WaitingForEndpoints', message: 'east: no endpoints.' }
export const freeze = { reason: 'FreezeActive', message: 'east: Frozen by xmas.' }

/** A target in a result, by its weight alone. */
export function weighing(weight: number): unknown {
  return expect.objectContaining({ weight })
}

/** The only transition in a result's history. */
export function transition(fields: Readonly<Record<string, unknown>>): unknown {
  return [expect.objectContaining(fields)]
}
