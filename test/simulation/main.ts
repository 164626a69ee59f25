import { parseArgs } from 'node:util'
import { runSeed } from './run-seed.ts'
import { createTenant } from './surroundings.ts'

const DEFAULT_STEPS = 12

/**
 * `npm run test:simulation -- --seeds N [--seed FIRST] [--steps K] [--trace] [--twice]`: stories of seeds FIRST, FIRST + 1, …
 * Prints every broken invariant with the command that repeats it; exits 1 when there was one.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string', default: String(DEFAULT_STEPS) },
      trace: { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const first = Number(values.seed ?? 1)
  const count = Number(values.seeds ?? (values.seed === undefined ? 100 : 1))
  const steps = Number(values.steps)
  const tenant = await createTenant()
  const started = process.cpuUsage()
  let failed = 0
  let requests = 0
  for (let seed = first; seed < first + count; seed += 1) {
    const options = { seed, steps, echo: values.trace ? say : undefined }
    const result = await runSeed(options, tenant)
    const again = values.twice ? await runSeed({ seed, steps }, tenant) : result
    const broken =
      again.hash === result.hash ? result.broken : [...result.broken, `hash ${result.hash}, then ${again.hash}`]
    requests += result.requests
    if (broken.length === 0) continue
    failed += 1
    say(`\nseed ${seed} is broken: ${broken.join('\n  ')}`)
    say(`repeat it: npm run test:simulation -- --seed ${seed} --steps ${steps}`)
    if (count === 1 && !values.trace) for (const line of result.tail) say(line)
  }
  const { user, system } = process.cpuUsage(started)
  const minutes = (user + system) / 60e6
  say(
    `${count - failed} seeds passed, ${failed} failed; ${requests} requests; ${Math.round(count / minutes)} seeds a minute and core`,
  )
  return failed === 0 ? 0 : 1
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await main()
