/** Time as the product sees it. Everything that asks for the time or waits does it through this port. */
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number
  /** Resolves after `durationMs`, or rejects with the signal's reason as soon as it is aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}
