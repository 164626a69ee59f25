import { parseArgs } from 'node:util'
import { type Counts, countLines, createCounts } from './counts.ts'
import { type Choice, crashPoints, runTale, TALES, type TaleName } from './crash-points.ts'
import { CRASH_FLAVOURS, type CrashFlavour } from './faults.ts'
import { runSeed } from './run-seed.ts'
import type { RunResult } from './simulation.ts'
import { createTenant, type Tenant } from './surroundings.ts'

const HELP = `npm run test:simulation -- OPTIONS
  --seeds N            stories of N seeds (100)
  --seed S             from seed S on (1); alone: just this one
  --steps K            how many things happen in a story (12)
  --mesh-ca            stories of mesh CAs: the same seeds are others with it
  --twice              each seed twice: both must have the same trace
  --crash-points       also the fixed tales with a crash at every request, in three flavours
  --tale T             only this one of them: rollout, strategies, certificate, mesh-ca, mesh-ca-back or mesh-ca-external
  --distinct           of requests that are sent in the same state of affairs, only the first
  --stride N           only every N-th of them
  --first N            beginning with the N-th (0)
  --crash-at N --flavour before-send|after-effect|after-reply   just this one (of the rollout, or of --tale)
  --fail-fast          ends with the first run that fails
  --counts             prints how often each fault and everything else happened
  --trace              prints every line of the trace`

const OPTIONS = {
  seeds: { type: 'string' },
  seed: { type: 'string' },
  steps: { type: 'string', default: '12' },
  'mesh-ca': { type: 'boolean', default: false },
  twice: { type: 'boolean', default: false },
  'crash-points': { type: 'boolean', default: false },
  distinct: { type: 'boolean', default: false },
  stride: { type: 'string', default: '1' },
  first: { type: 'string', default: '0' },
  'crash-at': { type: 'string' },
  tale: { type: 'string' },
  flavour: { type: 'string', default: 'before-send' },
  'fail-fast': { type: 'boolean', default: false },
  counts: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** What all runs came to. */
interface Tally {
  runs: number
  failed: number
  requests: number
  readonly counts: Counts
}

/** Runs what the command line asks for; prints every broken invariant with the command that repeats it. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return say(HELP)
  const tenant = await createTenant()
  const echo = values.trace ? say : undefined
  const tally: Tally = { runs: 0, failed: 0, requests: 0, counts: createCounts() }
  const started = process.cpuUsage()
  const tales = TALES.filter((one) => values.tale === undefined || one === values.tale)
  if (values['crash-at'] !== undefined) {
    const flavour = CRASH_FLAVOURS.find((one) => one === values.flavour) as CrashFlavour
    const [name = 'rollout'] = tales
    report(tally, await runTale(tenant, name, { request: Number(values['crash-at']), flavour }, echo), '', true)
    return end(tally, started, values.counts)
  }
  const first = Number(values.seed ?? 1)
  const count = Number(values.seeds ?? (values.seed === undefined ? 100 : 1))
  const steps = Number(values.steps)
  const more = values['mesh-ca'] ? { meshCa: true } : {}
  const goesOn = () => tally.failed === 0 || !values['fail-fast']
  for (let seed = first; seed < first + count && goesOn(); seed += 1) {
    const result = await runSeed({ seed, steps, echo, ...more }, tenant)
    const again = values.twice ? await runSeed({ seed, steps, ...more }, tenant) : result
    const differs = again.hash === result.hash ? [] : [`its trace is ${result.hash}, then ${again.hash}`]
    const broken = [...result.broken, ...differs]
    report(
      tally,
      { ...result, broken },
      `--seed ${seed} --steps ${steps}${values['mesh-ca'] ? ' --mesh-ca' : ''}${values.twice ? ' --twice' : ''}`,
      count === 1,
    )
  }
  if (values['crash-points']) {
    const choice = { stride: Number(values.stride), first: Number(values.first), distinct: values.distinct }
    for (const name of tales) await crashEverywhere(tally, tenant, name, choice)
  }
  return end(tally, started, values.counts)
}

async function crashEverywhere(tally: Tally, tenant: Tenant, name: TaleName, choice: Choice): Promise<void> {
  for (const point of await crashPoints(tenant, name, choice)) {
    const how = `--tale ${name} --crash-at ${point.request} --flavour ${point.flavour}`
    report(tally, await runTale(tenant, name, point), how, false)
  }
}

function report(tally: Tally, { broken, requests, tail, counts }: RunResult, how: string, whole: boolean): void {
  tally.runs += 1
  tally.requests += requests
  for (const [what, times] of counts.all) tally.counts.add(what, times)
  if (broken.length === 0) return
  tally.failed += 1
  if (whole) for (const line of tail) say(line)
  say(`\nBroken: ${broken.join('\n  ')}`)
  if (how !== '') say(`Repeat it: npm run test:simulation -- ${how}`)
}

function end({ runs, failed, requests, counts }: Tally, started: NodeJS.CpuUsage, counted: boolean): number {
  const { user, system } = process.cpuUsage(started)
  if (counted) for (const line of countLines(counts)) say(line)
  const perMinute = Math.round(runs / ((user + system) / 60e6))
  say(`${runs - failed} runs passed, ${failed} failed; ${requests} requests; ${perMinute} runs a minute and core`)
  return failed === 0 ? 0 : 1
}

function say(line: string): number {
  process.stdout.write(`${line}\n`)
  return 0
}

process.exitCode = await main()
