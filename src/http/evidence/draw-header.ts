import { formatDuration } from '../../model/names.ts'
import { type Rollout, serviceOfRollout } from '../../model/rollout.ts'
import { type Part, toneOfPhase } from './layout.ts'
import { timeWords } from './scale.ts'
import { element, linePath, shorten, text } from './svg.ts'

const MOST_CHARACTERS = 150
const MOST_CHANGES = 6

/** What was rolled out, what became of it, and what was new in it. */
export function drawHeader(rollout: Rollout): Part {
  const stables = [...new Set(rollout.targets.map(({ stable }) => stable))].join(', ')
  const name = `${serviceOfRollout(rollout.id)}: ${stables} → ${rollout.candidate}`
  const end = rollout.endedAt === undefined ? 'live' : `ended ${timeWords(Date.parse(rollout.endedAt))}`
  const facts = `${rollout.id}, strategy ${rollout.strategy}, started ${timeWords(Date.parse(rollout.startedAt))} UTC by ${rollout.actor.name}, ${end}, bake ${formatDuration(rollout.bakeMs)}`
  const changes = (rollout.changes ?? []).map(({ field, from, to }) => `${field} ${from ?? 'none'} → ${to ?? 'none'}`)
  const more = changes.length > MOST_CHANGES ? `, and ${changes.length - MOST_CHANGES} more` : ''
  const lines = [
    rollout.message,
    facts,
    ...(changes.length === 0 ? [] : [`What changed: ${changes.slice(0, MOST_CHANGES).join(', ')}${more}`]),
  ]
  return {
    height: 24 + lines.length * 17,
    markup: [
      element('circle', { cx: 14, cy: 11, r: 6, class: `f-${toneOfPhase(rollout.phase)}` }),
      text(28, 17, shorten(`${name}, ${rollout.phase}`, 90), 'head'),
      ...lines.map((line, index) =>
        text(8, 38 + index * 17, shorten(line, MOST_CHARACTERS), index === 0 ? '' : 'soft'),
      ),
    ].join(''),
  }
}

/** What colours and lines mean. */
export function drawLegend(hasGates: boolean): Part {
  const items: readonly (readonly [kind: string, words: string, width: number])[] = [
    ['asked s-candidate', 'weight asked', 92],
    ['line dots s-stable', 'weight seen', 88],
    ...(hasGates
      ? ([
          ['line s-stable', 'stable’s bad share', 122],
          ['line s-candidate', 'candidate’s bad share, and evidence for harm', 262],
          ['limit', 'limit, and where harm is called', 186],
        ] as const)
      : []),
  ]
  let x = 8
  const drawn = items.map(([kind, words, width]) => {
    const sample = kind.includes('dots')
      ? linePath([[x + 12, 8]])
      : linePath([
          [x, 8],
          [x + 24, 8],
        ])
    const markup = element('path', { d: sample, class: kind }) + text(x + 30, 12, words, 'small soft')
    x += width + 30
    return markup
  })
  return hasGates ? { height: 34, markup: drawn.join('') + drawVerdictKey() } : { height: 18, markup: drawn.join('') }
}

function drawVerdictKey(): string {
  const kinds = [
    ['good', 'safe'],
    ['soft', 'undecided'],
    ['warn', 'blind'],
    ['bad', 'harm'],
  ] as const
  let x = 68
  const marks = kinds.map(([tone, words]) => {
    const square = element('rect', { x, y: 20, width: 8, height: 8, class: `f-${tone}` })
    const markup = square + text(x + 13, 28, words, 'small soft')
    x += 26 + words.length * 6.5
    return markup
  })
  return (
    text(8, 28, 'gate says', 'small soft') +
    marks.join('') +
    text(x + 4, 28, 'shaded: confidence intervals', 'small soft')
  )
}
