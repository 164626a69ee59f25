import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTerminal, PHASES, type RolloutPhase } from '../src/model/rollout.ts'
import { ROLLOUT_EVENTS, type RolloutEvent, targetOf } from '../src/rollouts/machine.ts'

/** Writes the state machine of rollouts into docs/rollouts.md: the picture and the table. A test holds the two together. */
const FILE = join(import.meta.dirname, '..', 'docs', 'rollouts.md')
const BEGIN = '<!-- written by scripts/rollout-table.ts -->\n'
const END = '<!-- end -->'

const LIVE = PHASES.filter((phase) => !isTerminal(phase))

/** The part of the page between the marks. */
export function machinePart(): string {
  return `${picture()}\n${table()}\n`
}

/** A page with the present machine in it. */
export function withMachine(page: string): string {
  const [before = '', rest = ''] = page.split(BEGIN)
  const [, after = ''] = rest.split(END)
  return `${before}${BEGIN}${machinePart()}${END}${after}`
}

/** The way of a rollout; what leads to a pause or back stands in the table. */
function picture(): string {
  const edges = LIVE.flatMap((from) => waysFrom(from))
  const names = PHASES.filter((phase) => phase.includes('-')).map((phase) => `  state "${phase}" as ${nameOf(phase)}`)
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> pending', ...edges, ...names, '```', ''].join('\n')
}

function waysFrom(from: RolloutPhase): readonly string[] {
  const events = new Map<string, RolloutEvent[]>()
  for (const event of ROLLOUT_EVENTS) {
    for (const to of targets(from, event)) {
      if (to === 'paused' || to === 'rolling-back' || from === 'paused' || to === from) continue
      events.set(to, [...(events.get(to) ?? []), event])
    }
  }
  return [...events].map(([to, names]) => `  ${nameOf(from)} --> ${nameOf(to)}: ${names.join(', ')}`)
}

function targets(from: RolloutPhase, event: RolloutEvent): readonly string[] {
  const target = targetOf(from, event)
  if (target === 'end') return ['rolled-back', 'aborted']
  if (target === 'back') return from === 'blind' ? ['progressing', 'promoting', 'baking'] : []
  return target === undefined ? [] : [target]
}

function nameOf(phase: string): string {
  return phase.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function table(): string {
  const head = `| event | ${LIVE.join(' | ')} |`
  const line = `|---|${LIVE.map(() => '---|').join('')}`
  const rows = ROLLOUT_EVENTS.map(
    (event) => `| ${event} | ${LIVE.map((phase) => targetOf(phase, event) ?? '').join(' | ')} |`,
  )
  return [head, line, ...rows].join('\n')
}

if (import.meta.main) writeFileSync(FILE, withMachine(readFileSync(FILE, 'utf8')))
