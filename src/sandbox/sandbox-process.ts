import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SandboxFile } from './sandbox-file.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const READY = 'Meshwright is ready'
const START_PATIENCE_MS = 60_000
const STOP_PATIENCE_MS = 5000
const MOST_ERRORS = 20_000

export interface SandboxProcessOptions {
  readonly folder: string
  /** Options of `npm start` besides `--folder`. */
  readonly args: readonly string[]
  /** Variables on top of those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Aborted: the start is given up. */
  readonly signal?: AbortSignal
}

/** `npm start` in a process of its own, which ends with this one. */
export interface SandboxProcess {
  readonly file: SandboxFile
  /** The newest of what it wrote to standard error. */
  errors(): string
  /** kill -9. Resolves when it is gone; so it does when it was. */
  kill(): Promise<void>
  /** As Ctrl+C does; killed if that takes longer than five seconds. Resolves when it is gone. */
  stop(): Promise<void>
}

/** Starts a sandbox and waits until it is ready. Throws with what it wrote when it ends before or takes a minute. */
export async function startSandboxProcess(options: SandboxProcessOptions): Promise<SandboxProcess> {
  const child = fork(MAIN, ['--folder', options.folder, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  })
  const [output, errors] = [newest(child.stdout), newest(child.stderr)]
  const exited = once(child, 'exit').then(() => undefined)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (!hasEnded(child)) child.kill(signal)
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
    await exited
    clearTimeout(patience)
  }
  try {
    await untilReady(child, output, options.signal)
  } catch (error) {
    await end('SIGKILL')
    options.signal?.throwIfAborted()
    throw new Error(`The sandbox did not start.\n${errors()}`.trim(), { cause: error })
  }
  const file = JSON.parse(readFileSync(join(options.folder, 'sandbox.json'), 'utf8')) as SandboxFile
  return { file, errors, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** Reads a stream to its end; answers the newest of it. */
function newest(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-MOST_ERRORS)
  })
  return () => text
}

async function untilReady(child: ChildProcess, output: () => string, signal: AbortSignal | undefined): Promise<void> {
  const patience = AbortSignal.timeout(START_PATIENCE_MS)
  const over = signal === undefined ? patience : AbortSignal.any([patience, signal])
  const exited = once(child, 'exit', { signal: over }).then(() => {
    throw new Error('It ended.')
  })
  // Its refusal is seen in the race; what comes after that is nobody's.
  exited.catch(() => undefined)
  while (!output().includes(READY)) {
    if (hasEnded(child)) throw new Error('It ended.')
    await Promise.race([exited, child.stdout ? once(child.stdout, 'data', { signal: over }) : exited])
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
