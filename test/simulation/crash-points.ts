import { CRASH_FLAVOURS, type CrashFlavour, NO_FAULTS } from './faults.ts'
import { certificateTale } from './scenario/certificate-tale.ts'
import { meshCaTale } from './scenario/mesh-ca-tale.ts'
import { strategiesTale } from './scenario/strategies-tale.ts'
import { tale } from './scenario/tale.ts'
import { type RunResult, runSimulation } from './simulation.ts'
import type { Tenant } from './surroundings.ts'

/** A crash at the n-th request, counted from 1. */
export interface CrashPoint {
  readonly request: number
  readonly flavour: CrashFlavour
}

const PARTS = {
  rollout: { clusters: ['east'], scenario: tale },
  strategies: { clusters: ['east', 'west'], scenario: strategiesTale },
  certificate: { clusters: ['east'], byArmId: true, issueMs: 3000, scenario: certificateTale },
  'mesh-ca': { clusters: ['east'], meshCa: true, scenario: meshCaTale },
} as const
const HABITS = {
  lockMs: 30_000,
  doubles: 0,
  forgetsFeed: 0,
  feed: true,
  pollMs: { queue: 100, feed: 1000 },
}

/** Tales that crash points are tried on. */
export const TALES = ['rollout', 'strategies', 'certificate', 'mesh-ca'] as const
export type TaleName = (typeof TALES)[number]

/** A tale with one process that dies at the given point and is started anew; with no point, undisturbed. */
export function runTale(
  tenant: Tenant,
  name: TaleName,
  planned?: CrashPoint,
  echo?: ((line: string) => void) | undefined,
): Promise<RunResult> {
  return runSimulation(
    {
      seed: 0,
      tenant,
      ...PARTS[name],
      instances: 1,
      rates: NO_FAULTS,
      habits: HABITS,
      planned,
      echo,
    },
    PARTS[name].scenario,
  )
}

/** Every `stride`-th crash point of a tale from the `first` (counted from 0), in the order of requests. */
export async function crashPoints(
  tenant: Tenant,
  name: TaleName,
  stride: number,
  first = 0,
): Promise<readonly CrashPoint[]> {
  const { requests, broken } = await runTale(tenant, name)
  if (broken.length > 0) throw new Error(`the tale does not end well by itself: ${broken.join('; ')}`)
  const all = Array.from({ length: requests }, (_, index) => index + 1).flatMap((request) =>
    CRASH_FLAVOURS.map((flavour) => ({ request, flavour })),
  )
  return all.filter((_, index) => index % stride === first)
}
