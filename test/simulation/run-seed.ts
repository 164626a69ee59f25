import { seededChance } from '../../src/sandbox/world/chance.ts'
import { drawRates, pick } from './faults.ts'
import { story } from './scenario/story.ts'
import { type RunResult, runSimulation } from './simulation.ts'
import type { Tenant } from './surroundings.ts'

/** Half of the lifetime of a leaf is longer than a write that was cut off is left alone. */
const MESH = { ttl: { text: '6m', ms: 360_000 }, pollMs: 10_000, tickMs: 5000 } as const

export interface SeedOptions {
  readonly seed: number
  /** How many things happen in the story. */
  readonly steps: number
  /** It is one of mesh CAs. */
  readonly meshCa?: boolean
  readonly echo?: ((line: string) => void) | undefined
}

/** One random story: the seed draws clusters (odd seeds have them by ARM id), processes, faults, the host's habits and everything that happens. */
export function runSeed({ seed, steps, echo, meshCa = false }: SeedOptions, tenant: Tenant): Promise<RunResult> {
  const chance = seededChance(seed * 8)
  const clusters = pick(chance, [['east'], ['east', 'west'], ['east', 'west'], ['east', 'north', 'west']])
  const habits = {
    lockMs: pick(chance, [30_000, 60_000]),
    doubles: chance.next() < 0.3 ? 0.05 : 0,
    forgetsFeed: chance.next() < 0.3 ? 0.2 : 0,
    feed: chance.next() < 0.7,
    pollMs: { queue: pick(chance, [100, 1000]), feed: 5000 },
  }
  const instances = pick(chance, [1, 2, 2, 3])
  const skewMs = chance.next() < 0.2 ? 2000 : 0
  const byArmId = seed % 2 === 1 && !meshCa
  const issueMs = seed % 3 === 2 ? pick(chance, [500, 3000, 40_000]) : undefined
  const options = {
    seed,
    tenant,
    clusters,
    byArmId,
    issueMs,
    meshCa: meshCa ? { ...MESH, tells: seededChance(seed * 8 + 6).next() < 0.85 } : undefined,
    instances,
    skewMs,
    rates: drawRates(chance),
    habits,
    echo,
  }
  const idleMs = seed % 25 === 0 ? 3_600_000 : 300_000
  return runSimulation(options, (simulation) => story(simulation, { steps, idleMs }))
}
