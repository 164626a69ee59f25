import { styleText } from 'node:util'
import type { Counts, RolloutPhase, Verdict } from '../../model/rollout.ts'

/** The part of the API's rollout that the picture shows. */
export interface RolloutShown {
  readonly id: string
  readonly phase: RolloutPhase
  readonly message: string
  readonly candidate: string
  /** Index into steps; -1 before the first. */
  readonly step: number
  readonly steps: readonly { readonly weight: number }[]
  readonly weight: number
  readonly targets: readonly {
    readonly cluster: string
    readonly stable: string
    readonly candidate: string
    readonly weight: number
    readonly observedWeight: number | null
  }[]
  readonly verdicts: readonly {
    readonly kind: string
    readonly cluster: string
    readonly verdict: Verdict
    readonly candidate: Counts
    readonly stable: Counts
  }[]
}

type Target = RolloutShown['targets'][number]

const BAR_WIDTH = 25
const INDENT = '  '

/** One version on one cluster. */
interface Row {
  readonly cluster: string
  readonly version: string
  readonly isCandidate: boolean
  /** Per cent asked for. */
  readonly weight: number
  /** Per cent seen; null when nothing vouches for it. */
  readonly seen: number | null
  readonly counts: Counts | undefined
  readonly verdict: Verdict | undefined
}

/**
 * A block of lines with a bar for every version on every cluster, for a terminal of so many columns. Coloured where the
 * terminal takes it. `elapsedMs` is the rollout's age.
 */
export function drawRollout(
  rollout: RolloutShown,
  { columns, elapsedMs }: { readonly columns: number; readonly elapsedMs: number },
): readonly string[] {
  const rows = rollout.targets.flatMap((target) => rowsOf(rollout, target))
  const names = Math.max(...rows.map((row) => row.version.length))
  const clusters = Math.max(...rows.map((row) => row.cluster.length))
  const age = styleText('dim', `${Math.floor(elapsedMs / 1000)} s`)
  const title = `${INDENT}${styleText('bold', headline(rollout))}  ${phaseText(rollout)}  ${age}`
  const message = wrap(rollout.message, columns - INDENT.length - 1).map((line) => styleText('dim', INDENT + line))
  const heads = `${INDENT}${' '.repeat(clusters + names + BAR_WIDTH + 5)}asked    seen  failed of the requests in this step`
  const lines = rows.map((row) => {
    const cluster = (row.isCandidate ? '' : row.cluster).padEnd(clusters)
    const shares = `${String(row.weight).padStart(4)} % ${percent(row.seen).padStart(8)}`
    return `${INDENT}${cluster}  ${row.version.padEnd(names)}  ${bar(row)}  ${shares}  ${failures(row)}`
  })
  return ['', title, ...message, '', styleText('dim', heads), ...lines, '']
}

/** The same as plain lines, each of which says what it is about: one for the rollout and one for every cluster. */
export function tellRollout(rollout: RolloutShown): readonly string[] {
  const clusters = rollout.targets.map((target) => {
    const told = rowsOf(rollout, target).map(
      (row) => `${row.version} asked ${row.weight} %, seen ${percent(row.seen).trim()}, ${failures(row).trim()}`,
    )
    return `${rollout.candidate} on ${target.cluster}: ${told.join(' | ')}`
  })
  return [`${headline(rollout)}: ${rollout.phase}. ${rollout.message}`, ...clusters]
}

/** Words in lines of at most so many characters; a longer word is a line of its own. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

function headline({ candidate, targets, step, steps }: RolloutShown): string {
  const stables = [...new Set(targets.map((target) => target.stable))].join(', ')
  const at = step < 0 ? '' : `, step ${step + 1} of ${steps.length}`
  return `${candidate} for ${stables}${at}`
}

function phaseText({ phase }: RolloutShown): string {
  if (phase === 'succeeded') return styleText('green', phase)
  return ['rolling-back', 'rolled-back', 'aborted', 'failed'].includes(phase)
    ? styleText('red', phase)
    : styleText('cyan', phase)
}

function rowsOf(rollout: RolloutShown, target: Target): readonly [Row, Row] {
  const looked = rollout.verdicts.find(({ cluster, kind }) => cluster === target.cluster && kind === 'errors')
  const { cluster, weight, observedWeight: seen } = target
  const stable = { version: target.stable, isCandidate: false, weight: 100 - weight, counts: looked?.stable }
  const candidate = { version: target.candidate, isCandidate: true, weight, counts: looked?.candidate }
  return [
    { cluster, ...stable, seen: seen === null ? null : Math.round(1000 - seen * 10) / 10, verdict: undefined },
    { cluster, ...candidate, seen, verdict: looked?.verdict },
  ]
}

function bar({ weight, isCandidate, verdict }: Row): string {
  const full = Math.round((weight / 100) * BAR_WIDTH)
  const colour = isCandidate ? (verdict === 'harm' ? 'red' : 'green') : 'blue'
  return styleText(colour, '█'.repeat(full)) + styleText('dim', '·'.repeat(BAR_WIDTH - full))
}

function failures({ counts, verdict }: Row): string {
  const requests = counts ? counts.good + counts.bad : 0
  if (!counts || requests === 0) return 'not counted yet'
  const share = `${((counts.bad / requests) * 100).toFixed(2)} %`.padStart(7)
  const text = `${share}  ${grouped(counts.bad)} of ${grouped(requests)}`
  return verdict === undefined ? text : `${text}  ${verdictText(verdict)}`
}

function verdictText(verdict: Verdict): string {
  if (verdict === 'harm') return styleText('red', 'harm')
  return verdict === 'safe' ? styleText('green', 'safe') : styleText('yellow', verdict)
}

function percent(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(1)} %`
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en')
}
