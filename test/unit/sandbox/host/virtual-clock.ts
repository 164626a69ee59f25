import type { HostClock } from '../../../../src/sandbox/host/host-clock.ts'

/** A clock whose time stands still until a test moves it. */
export interface VirtualClock extends HostClock {
  /** Moves on by `durationMs`, waking sleepers in order and letting each do its work before the next. */
  advance(durationMs: number): Promise<void>
}

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let nowMs = startMs
  const sleepers = new Set<Sleeper>()
  return {
    now: () => nowMs,
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = { atMs: nowMs + Math.max(0, durationMs), wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          resolve()
        })
      }),
    async advance(durationMs) {
      const untilMs = nowMs + durationMs
      await settle()
      for (;;) {
        const due = [...sleepers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (!due) break
        sleepers.delete(due)
        nowMs = Math.max(nowMs, due.atMs)
        due.wake()
        await settle()
      }
      nowMs = untilMs
    },
  }
}

/** Lets everything run that needs no more time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
