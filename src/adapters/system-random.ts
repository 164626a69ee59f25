import { randomUUID } from 'node:crypto'
import type { Random } from '../ports/random.ts'

/** Chance as the machine has it: ids from the system's cryptographic source, jitter from the engine's. */
export function systemRandom(): Random {
  return { next: () => Math.random(), uuid: () => randomUUID() }
}
