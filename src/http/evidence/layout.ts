import type { RolloutPhase, Verdict } from '../../model/rollout.ts'
import { type Heights, type TimeScale, timeTicks, xOf } from './scale.ts'
import { element, linePath, text } from './svg.ts'

export const WIDTH = 1000
export const LEFT = 190
export const RIGHT = 980

/** A part of the picture: what is in it, and how high it is. Its own top is 0. */
export interface Part {
  readonly height: number
  readonly markup: string
}

/** Colour of a verdict, by its class. */
export function toneOfVerdict(verdict: Verdict): string {
  if (verdict === 'harm') return 'bad'
  if (verdict === 'safe') return 'good'
  return verdict === 'blind' ? 'warn' : 'soft'
}

const TONES: Readonly<Partial<Record<RolloutPhase, string>>> = {
  'rolling-back': 'bad',
  'rolled-back': 'bad',
  aborted: 'bad',
  failed: 'bad',
  paused: 'warn',
  blind: 'warn',
  'awaiting-approval': 'warn',
  superseded: 'warn',
  promoting: 'good',
  baking: 'good',
  succeeded: 'good',
}

/** Colour of a decision, by what it leads to. */
export function toneOfPhase(phase: RolloutPhase): string {
  return TONES[phase] ?? 'stable'
}

/** The times along the top. */
export function drawTimes(scale: TimeScale): Part {
  const ticks = timeTicks(scale)
  const words = ticks.map(({ ms, words }) => text(xOf(scale, ms), 12, words, 'small soft', 'middle'))
  return { height: 20, markup: words.join('') }
}

/** The frame of a panel with a line at each time, and at each of `rows`. */
export function drawFrame(scale: TimeScale, { top, bottom }: Heights, rows: readonly number[] = []): string {
  const columns = timeTicks(scale).map(({ ms }) => xOf(scale, ms))
  const lines = [
    ...columns.map((x) =>
      linePath([
        [x, top],
        [x, bottom],
      ]),
    ),
    ...rows.map((y) =>
      linePath([
        [LEFT, y],
        [RIGHT, y],
      ]),
    ),
  ]
  const frame = element('rect', { x: LEFT, y: top, width: RIGHT - LEFT, height: bottom - top, class: 'frame' })
  return element('path', { d: lines.join(''), class: 'grid' }) + frame
}
