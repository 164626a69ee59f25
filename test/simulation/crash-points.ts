import { CRASH_FLAVOURS, type CrashFlavour, NO_FAULTS } from './faults.ts'
import { QUICK_MESH } from './mesh-side.ts'
import { certificateTale } from './scenario/certificate-tale.ts'
import { meshCaBackTale } from './scenario/mesh-ca-back-tale.ts'
import { meshCaExternalTale } from './scenario/mesh-ca-external-tale.ts'
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

const LONG_MESH = { ...QUICK_MESH, ttl: { text: '10m', ms: 600_000 } }

const PARTS = {
  rollout: { clusters: ['east'], scenario: tale },
  strategies: { clusters: ['east', 'west'], scenario: strategiesTale },
  certificate: { clusters: ['east'], byArmId: true, issueMs: 3000, scenario: certificateTale },
  'mesh-ca': { clusters: ['east'], meshCa: QUICK_MESH, scenario: meshCaTale },
  // Leaves live so long that one of the former signer outlives every look that comes late.
  'mesh-ca-long': { clusters: ['east'], meshCa: LONG_MESH, scenario: meshCaTale },
  'mesh-ca-back': { clusters: ['east'], meshCa: QUICK_MESH, scenario: meshCaBackTale },
  'mesh-ca-external': { clusters: ['east'], meshCa: QUICK_MESH, scenario: meshCaExternalTale },
} as const
const HABITS = {
  lockMs: 30_000,
  doubles: 0,
  forgetsFeed: 0,
  feed: true,
  pollMs: { queue: 100, feed: 1000 },
}

/** Tales that crash points are tried on. */
export const TALES = [
  'rollout',
  'strategies',
  'certificate',
  'mesh-ca',
  'mesh-ca-long',
  'mesh-ca-back',
  'mesh-ca-external',
] as const
export type TaleName = (typeof TALES)[number]

/** A tale with one process that dies at the given point and is started anew; with no point, undisturbed. */
export function runTale(
  tenant: Tenant,
  name: TaleName,
  planned?: CrashPoint,
  echo?: ((line: string) => void) | undefined,
  notesPlaces = false,
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
      notesPlaces,
      echo,
    },
    PARTS[name].scenario,
  )
}

/** Which crash points of a tale: every `stride`-th from the `first` (counted from 0), in the order of requests. */
export interface Choice {
  readonly stride: number
  readonly first?: number
  /** Of requests that are sent from the same place (`placeOf`), only the first one. */
  readonly distinct?: boolean
}

/** The crash points of a tale, from a run of it in which nothing dies. */
export async function crashPoints(
  tenant: Tenant,
  name: TaleName,
  { stride, first = 0, distinct = false }: Choice,
): Promise<readonly CrashPoint[]> {
  const { requests, places, broken } = await runTale(tenant, name, undefined, undefined, distinct)
  if (broken.length > 0) throw new Error(`the tale does not end well by itself: ${broken.join('; ')}`)
  const numbers = Array.from({ length: requests }, (_, index) => index + 1)
  const wanted = distinct
    ? numbers.filter((number) => places.indexOf(places[number - 1] ?? '') === number - 1)
    : numbers
  const all = wanted.flatMap((request) => CRASH_FLAVOURS.map((flavour) => ({ request, flavour })))
  return all.filter((_, index) => index % stride === first)
}
