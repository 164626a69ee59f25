import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SandboxProcess, startSandboxProcess } from '../sandbox-process.ts'
import { doMainJob } from './main-job.ts'
import { screenOn } from './screen.ts'

/** Of the rollback, kept when everything else is removed. */
const PICTURE = join('.meshwright', 'demo-evidence.svg')

/** `npm run demo`: the main job on a sandbox of its own. Answers the exit code: 0 only if everything went as it should. */
async function main(): Promise<number> {
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort())
  const startedMs = Date.now()
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-demo-'))
  const screen = screenOn(process.stdout)
  let sandbox: SandboxProcess | undefined
  try {
    screen.say('Meshwright: two emulated clusters, simulated requests, everything else by REST\n')
    sandbox = await startSandboxProcess({
      folder,
      args: ['--port', '0', '--empty', '--quiet'],
      env: { MESHWRIGHT_SETTLE: '1s' },
      signal: stopped.signal,
    })
    const lines = await doMainJob(sandbox.file, screen, PICTURE, stopped.signal)
    screen.say(`\nDone in ${Math.round((Date.now() - startedMs) / 1000)} s.`)
    for (const line of lines) screen.say(line)
    return 0
  } catch (error) {
    if (stopped.signal.aborted) return 130
    screen.say(`\nfailed: ${error instanceof Error ? error.message : error}\n${sandbox?.errors() ?? ''}`.trimEnd())
    return 1
  } finally {
    screen.close()
    await sandbox?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main()
