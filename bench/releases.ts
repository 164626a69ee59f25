import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { breach, healthy, metricsOut, type Outcome } from './releases/scenarios.ts'
import { describeTable } from './releases/table.ts'

/**
 * N services released at once on a real API server, weights 10 → 50 → 100, 10 s a step, one look a step:
 * `npm run test:real -- --exec node bench/releases.ts [SCENARIO …]`. With `--sandbox` on the emulated Kubernetes API instead, where the
 * real one is not built: `node bench/releases.ts --sandbox`.
 */
const SCENARIOS: Readonly<Record<string, (dir: string, kind: 'real' | 'sandbox') => Promise<Outcome>>> = {
  'healthy-1': (dir, kind) => healthy(dir, kind, 1),
  'healthy-20': (dir, kind) => healthy(dir, kind, 20),
  'healthy-100': (dir, kind) => healthy(dir, kind, 100),
  'breach-20': (dir, kind) => breach(dir, kind, 20),
  'metrics-500-20': (dir, kind) => metricsOut(dir, kind, 20),
}

const args = process.argv.slice(2)
const kind = args.includes('--sandbox') ? 'sandbox' : 'real'
const wanted = args.filter((arg) => !arg.startsWith('--'))
const outcomes: Outcome[] = []
for (const [name, run] of Object.entries(SCENARIOS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const dir = mkdtempSync(join(tmpdir(), 'meshwright-releases-'))
  try {
    const outcome = await run(dir, kind)
    outcomes.push(outcome)
    console.log(`${name}: ${outcome.told.join('\n  ')}`)
  } finally {
    if (process.env.MESHWRIGHT_KEEP_LOGS) console.error(`logs are in ${dir}`)
    else rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
}
console.log(describeTable(outcomes))
if (outcomes.some(({ missed }) => missed.length > 0)) process.exitCode = 1
process.exit()
