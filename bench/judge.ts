import { DEFAULT_STRATEGY } from '../src/model/strategy.ts'
import type { Traffic } from '../test/unit/judge/draw-traffic.ts'
import { type RuleName, ruleNames, type Stops, watch } from './judge-runs.ts'

/**
 * `npm run bench:judge`: how often a good candidate is rolled back, and how soon a bad one is caught, beside Flagger's rule and
 * Kayenta's. Ends with 1 when more than alpha of the good ones are rolled back, or a rival that keeps to alpha is more than
 * one look faster.
 */
const RATES = [60, 600, 6000] as const
const BASES = [0.001, 0.002, 0.005, 0.008, 0.012] as const
const ALPHA = DEFAULT_STRATEGY.alpha

interface Scenario {
  readonly name: string
  readonly runs: number
  readonly change: Partial<Traffic>
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'errors come alone', runs: 500, change: {} },
  { name: 'in bursts, variance five times the mean', runs: 1500, change: { dispersion: 5 } },
  { name: 'an outage of both in minute 10 (30 % fail)', runs: 500, change: { outage: { minute: 10, bad: 0.3 } } },
  { name: 'it gets 20 % where 10 % is asked', runs: 500, change: { share: 0.2 } },
]

const HARMS = [
  { from: 0.002, to: 0.005 },
  { from: 0.002, to: 0.01 },
  { from: 0.002, to: 0.02 },
  { from: 0.001, to: 0.05 },
] as const
const HARM_RUNS = 600

const SEED = 20_261_129

let broken = false
/** How often each rule stops a good candidate, by rate and base, when errors come alone. */
const alarms = new Map<string, Readonly<Record<RuleName, Stops>>>()

console.log(
  `Candidates as good as stable that are rolled back within 30 looks, a minute apart (alpha ${percent(ALPHA)}):\n`,
)
row(['requests a minute', 'errors', ...BASES.map((base) => `${percent(base)} on both`)])
row(['---', '---', ...BASES.map(() => '---')])
for (const { name, runs, change } of SCENARIOS) {
  for (const perMinute of RATES) row([String(perMinute), name, ...BASES.map((base) => falseAlarms(perMinute, base))])

  function falseAlarms(perMinute: number, base: number): string {
    const seen = watch({ perMinute, share: 0.1, stable: base, candidate: base, ...change }, runs, SEED)
    if (Object.keys(change).length === 0) alarms.set(`${perMinute} ${base}`, seen)
    if (seen.meshwright.part > ALPHA) broken = true
    return ruleNames()
      .map((rule) => percent(seen[rule].part))
      .join(' / ')
  }
}

console.log('\nMeshwright / Flagger (99 %, threshold 5) / Kayenta. Median look at which a worse candidate is caught:\n')
row(['requests a minute', ...HARMS.map(({ from, to }) => `${percent(from)} → ${percent(to)}`)])
row(['---', ...HARMS.map(() => '---')])
for (const perMinute of RATES) row([String(perMinute), ...HARMS.map((harm) => timesToCatch(perMinute, harm))])
console.log(
  '\n(x %): the rule rolls back so many good candidates at that base, more than alpha. –: fewer than half are caught.',
)
if (broken) process.exitCode = 1

function timesToCatch(perMinute: number, { from, to }: (typeof HARMS)[number]): string {
  const seen = watch({ perMinute, share: 0.1, stable: from, candidate: to }, HARM_RUNS, SEED)
  const atBase = alarms.get(`${perMinute} ${from}`)
  return ruleNames()
    .map((rule) => {
      const { median = Number.POSITIVE_INFINITY } = seen[rule]
      const cries = atBase?.[rule].part ?? 0
      if (cries <= ALPHA && (seen.meshwright.median ?? Number.POSITIVE_INFINITY) > median + 1) broken = true
      const look = Number.isFinite(median) ? String(median) : '–'
      return cries > ALPHA ? `${look} (${percent(cries)})` : look
    })
    .join(' / ')
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`)
}
