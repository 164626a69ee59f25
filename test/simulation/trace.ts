import { createHash } from 'node:crypto'

/** What happened, line by line: every request with its answer. Its hash tells whether two runs were the same. */
export interface Trace {
  add(line: string): void
  hash(): string
  /** The newest lines. */
  tail(): readonly string[]
}

const KEPT = 400

/** `echo` gets each line as it comes. */
export function createTrace(now: () => number, startMs: number, echo?: (line: string) => void): Trace {
  const hash = createHash('sha256')
  const lines: string[] = []
  return {
    add(text) {
      const line = `${((now() - startMs) / 1000).toFixed(3)} ${text}`
      hash.update(line).update('\n')
      lines.push(line)
      if (lines.length > 2 * KEPT) lines.splice(0, KEPT)
      echo?.(line)
    },
    hash: () => hash.copy().digest('hex').slice(0, 16),
    tail: () => lines.slice(-KEPT),
  }
}
