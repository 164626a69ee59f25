import { cpuSecondsOf } from './cpu-time.ts'
import type { Setting } from './setting.ts'

/** A rollout as REST shows it, as far as the bench looks. */
export interface Shown {
  readonly id: string
  readonly phase: string
  readonly step: number
  readonly reason: string
  readonly message: string
  readonly history: readonly { readonly from: string; readonly to: string; readonly at: string }[]
}

/** N services released at once. */
export interface Release {
  readonly ids: readonly string[]
  readonly atMs: number
  readonly cpuBefore: number
}

const RELEASE = {
  candidate: 'v2',
  steps: [10, 50, 100].map((weight) => ({ weight, for: '10s' })),
  // Longer than the others need to be promoted: what ends a bake is no part of that work.
  bake: '60s',
  gates: [{ kind: 'errors', limitPercent: 1 }],
}

/** Callers that release beside each other. */
const CALLERS = 8

/** Starts a rollout of every service, as fast as eight callers can. */
export async function releaseAll({ product, services }: Setting): Promise<Release> {
  const cpuBefore = cpuSecondsOf(product.pid())
  const atMs = Date.now()
  const ids: string[] = []
  const waiting = [...services]
  const caller = async () => {
    for (let service = waiting.shift(); service !== undefined; service = waiting.shift()) {
      const started = await product.must<Shown>('deployer', 'POST', `/services/${service}/rollouts`, RELEASE)
      ids.push(started.id)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { ids, atMs, cpuBefore }
}

/** The rollouts once `done` holds of each; asks for one at a time, so that asking costs little. Throws after `limitMs`. */
export async function whenAll(
  { product }: Setting,
  ids: readonly string[],
  limitMs: number,
  done: (shown: Shown) => boolean,
): Promise<readonly Shown[]> {
  const end = Date.now() + limitMs
  const all: Shown[] = []
  for (const id of ids) {
    for (;;) {
      const shown = await product.must<Shown>('viewer', 'GET', `/rollouts/${id}`)
      if (done(shown)) {
        all.push(shown)
        break
      }
      if (Date.now() > end) throw new Error(`${id} is ${shown.phase}: ${shown.reason}: ${shown.message}`)
      await pause(250)
    }
  }
  return all
}

/** When a rollout came into a phase, in epoch milliseconds; NaN when it never did. */
export function entered({ history }: Shown, phase: string): number {
  return Date.parse(history.find(({ from, to }) => to === phase && from !== to)?.at ?? '')
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
