import type { RecordedDecision } from '../../rollouts/evidence/recorded.ts'
import { type Part, toneOfPhase } from './layout.ts'
import { type TimeScale, timeWords, xOf } from './scale.ts'
import { element, linePath, shorten, text, title } from './svg.ts'

const RADIUS = 8
const ROWS = 4
const MOST_CHARACTERS = 145
const MOST_LINES = 3
const MOST_TOLD = 500
const LINE = 15

/** A decision with the number that it bears. */
export interface NumberedDecision extends RecordedDecision {
  readonly number: number
}

/** Marks along the time, numbered; those that would lie on each other stand in rows. */
export function drawMarks(scale: TimeScale, decisions: readonly NumberedDecision[]): Part {
  const ends: number[] = []
  const marks = decisions.map((decision) => {
    const x = xOf(scale, decision.at)
    const free = ends.findIndex((end) => end <= x)
    const row = free >= 0 ? free : Math.min(ends.length, ROWS - 1)
    ends[row] = x + 2 * RADIUS + 2
    return { decision, x, y: RADIUS + 2 + row * (2 * RADIUS + 3) }
  })
  const height = Math.max(1, ends.length) * (2 * RADIUS + 3) + 6
  const drawn = marks.map(({ decision, x, y }) => drawMark(decision, x, y))
  return { height, markup: text(8, 15, 'Decisions', 'name') + drawn.join('') }
}

function drawMark(decision: NumberedDecision, x: number, y: number): string {
  const { transition, number } = decision
  return element(
    'g',
    {},
    title(shorten(`${headOf(decision)}: ${transition.message}`, MOST_TOLD)),
    element('circle', { cx: x, cy: y, r: RADIUS, class: `f-${toneOfPhase(transition.to)}` }),
    text(x, y + 3.5, String(number), 'number', 'middle'),
  )
}

/** A fine line at each decision through everything below the marks. */
export function drawHairs(scale: TimeScale, decisions: readonly NumberedDecision[], bottom: number): string {
  return decisions
    .map(({ at, transition }) => {
      const x = xOf(scale, at)
      return element('path', {
        d: linePath([
          [x, 0],
          [x, bottom],
        ]),
        class: `hair s-${toneOfPhase(transition.to)}`,
      })
    })
    .join('')
}

/** Every decision in words. */
export function drawList(decisions: readonly NumberedDecision[]): Part {
  const parts: string[] = []
  let y = 14
  for (const decision of decisions) {
    const { transition, number } = decision
    parts.push(element('circle', { cx: 16, cy: y - 4, r: RADIUS, class: `f-${toneOfPhase(transition.to)}` }))
    parts.push(text(16, y - 0.5, String(number), 'number', 'middle'))
    parts.push(text(32, y, headOf(decision), 'name'))
    const lines = wrap(transition.message, MOST_CHARACTERS)
    for (const line of lines) {
      y += LINE
      parts.push(text(32, y, line, 'soft'))
    }
    y += LINE + 7
  }
  return { height: decisions.length === 0 ? 0 : y - 7, markup: parts.join('') }
}

/** `10:00:05 progressing → rolling-back, by gate (LimitExceeded)`. */
function headOf({ at, transition }: RecordedDecision): string {
  const { from, to, actor, reason } = transition
  const move = from === to ? to : `${from} → ${to}`
  return shorten(`${timeWords(at)}  ${move}, by ${actor.name} (${reason})`, MOST_CHARACTERS)
}

/** Words in lines of so many characters, three lines at most. */
function wrap(words: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of words.split(/\s+/)) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(shorten(word, width))
  }
  if (lines.length <= MOST_LINES) return lines
  return [...lines.slice(0, MOST_LINES - 1), shorten(`${lines.slice(MOST_LINES - 1).join(' ')} `, width)]
}
