/** Chance as the product sees it: jitter and ids come from here, so that a seed repeats a run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A version 4 UUID. */
  uuid(): string
}
