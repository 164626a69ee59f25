import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { logTail } from './processes.ts'

interface Task {
  readonly name: string
  readonly result?: { readonly state?: string }
  readonly tasks?: readonly Task[]
}

/**
 * Makes a scratch folder for the suite in which it is called. When the suite ends, the folder is removed; if a test of it failed, it is kept, and
 * its path and the end of each log are printed. `MESHWRIGHT_KEEP_LOGS` keeps it always.
 */
export function scratchFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'meshwright-real-'))
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses this parameter and takes nothing else.
  afterAll(({}, suite) => {
    const failed = hasFailed(suite as Task)
    if (failed) for (const log of logs(dir)) console.error(`--- ${log}\n${logTail(log)}`)
    if (failed || process.env.MESHWRIGHT_KEEP_LOGS) return console.error(`logs are in ${dir}`)
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  })
  return dir
}

function hasFailed(task: Task): boolean {
  return task.result?.state === 'fail' || (task.tasks ?? []).some(hasFailed)
}

function logs(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return files.filter((file) => file.endsWith('.log')).map((file) => join(dir, file))
}
