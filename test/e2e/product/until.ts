import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 50
const PATIENCE_MS = 60_000

/** Looks until `accept` takes what is seen, and answers that. Throws with what was seen last after a minute. */
export async function until<T>(look: () => Promise<T>, accept: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const seen = await look()
    if (accept(seen)) return seen
    if (Date.now() > deadline) throw new Error(`It never came. Seen last: ${JSON.stringify(seen, undefined, 1)}`)
    await sleep(LOOK_EVERY_MS)
  }
}
