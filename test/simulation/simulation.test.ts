import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The simulation runs in processes of its own: there time, chance and timers are virtual, and modules load as they do in
 * production. What fails prints the command that repeats it.
 */
const MAIN = join(import.meta.dirname, 'main.ts')
const LIMIT_MS = 280_000

function simulate(...options: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const settings = { maxBuffer: 64 * 1024 * 1024, timeout: LIMIT_MS }
    execFile(process.execPath, [MAIN, ...options], settings, (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}${error.killed ? 'it took too long' : ''}` : stdout)
    })
  })
}

describe.concurrent('a simulated world', () => {
  it('keeps its promises in 50 stories', { timeout: LIMIT_MS }, async () => {
    expect(await simulate('--seed', '1', '--seeds', '50', '--steps', '8')).toMatch(/^50 runs passed, 0 failed/m)
  })

  it('keeps its promises in 50 more, some of them told twice in the same words', { timeout: LIMIT_MS }, async () => {
    expect(await simulate('--seed', '51', '--seeds', '46', '--steps', '8')).toMatch(/^46 runs passed, 0 failed/m)
    expect(await simulate('--seed', '97', '--seeds', '4', '--steps', '8', '--twice')).toMatch(
      /^4 runs passed, 0 failed/m,
    )
  })

  it('comes through a crash wherever it happens', { timeout: LIMIT_MS }, async () => {
    const sample = ['--stride', '97', '--first', '31']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('keeps what once was broken', { timeout: LIMIT_MS }, async () => {
    for (const { how } of regressions()) expect(await simulate(...how.split(' '))).toMatch(/ runs passed, 0 failed/)
  })
})

/** Options of runs that once failed, each with what it had found. */
function regressions(): readonly { readonly how: string; readonly found: string }[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'regressions', 'runs.json'), 'utf8'))
}
