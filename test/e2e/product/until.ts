import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 50
const PATIENCE_MS = 60_000
/** Longer than the product takes to tell of what it did. */
const QUIET_MS = 2000

/** Looks until `accept` takes what is seen, and answers that. Throws with what was seen last after a minute, unless told otherwise. */
export async function until<T>(
  look: () => Promise<T>,
  accept: (seen: T) => boolean,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const seen = await look()
    if (accept(seen)) return seen
    if (Date.now() > deadline) throw new Error(`It never came. Seen last: ${JSON.stringify(seen, undefined, 1)}`)
    await sleep(LOOK_EVERY_MS)
  }
}

/** What `look` sees once it has seen the same for two seconds. */
export async function untilQuiet<T>(look: () => Promise<T>): Promise<T> {
  let last = { text: '', since: Date.now() }
  return until(look, (seen) => {
    const text = JSON.stringify(seen)
    if (text !== last.text) last = { text, since: Date.now() }
    return Date.now() - last.since >= QUIET_MS
  })
}
