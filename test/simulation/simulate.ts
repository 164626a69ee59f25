import { execFile } from 'node:child_process'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, 'main.ts')

/**
 * What bounds a run is its work: so many seeds, and in each so many events (`simulation.ts`). This only ends a process that
 * hangs, and leaves room for a machine with ten times as much to do as it can.
 */
export const LIMIT_MS = 1_080_000

/**
 * Runs the simulation in a process of its own: there time, chance and timers are virtual, and modules load as they do in
 * production. Resolves with what it printed; of a failure that holds the command that repeats it.
 */
export function simulate(...options: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const settings = { maxBuffer: 64 * 1024 * 1024, timeout: LIMIT_MS }
    execFile(process.execPath, [MAIN, ...options], settings, (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}${error.killed ? 'it took too long' : ''}` : stdout)
    })
  })
}
