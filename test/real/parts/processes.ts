import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What to start: output goes to `<dir>/<name>.log`. */
export interface ProcessOptions {
  readonly dir: string
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A process of the harness, the leader of a process group of its own. */
export interface RunningProcess {
  readonly name: string
  readonly pid: number
  /** Throws, with the end of the log, if the process has ended by itself. */
  assertAlive(): void
  /** Kills the process and its children (SIGKILL: scratch data needs no goodbye) and resolves when it is gone. */
  stop(): Promise<void>
}

const running = new Set<RunningProcess & { kill(): void }>()
let armed = false

/** Starts a process that cannot outlive this one: it is killed when this process exits, and by the namespace's end at the latest. */
export function startProcess(options: ProcessOptions): RunningProcess {
  mkdirSync(options.dir, { recursive: true })
  const logPath = join(options.dir, `${options.name}.log`)
  const log = openSync(logPath, 'a')
  const env = { PATH: process.env.PATH ?? '', HOME: options.dir, ...options.env }
  const cwd = options.cwd ?? options.dir
  const child = spawn(options.command, options.args, { env, cwd, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const started = {
    name: options.name,
    pid: child.pid ?? 0,
    kill: () => killGroup(child),
    assertAlive: () => assertAlive(child, options.name, logPath),
    stop: async () => {
      killGroup(child)
      await gone
      running.delete(started)
    },
  }
  running.add(started)
  armExit()
  return started
}

/** The last lines of a log file; empty if there is none. */
export function logTail(path: string, lines = 15): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}

function assertAlive(child: ChildProcess, name: string, logPath: string): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) return
  throw new EndedByItself(`${name} ended by itself (${child.exitCode ?? child.signalCode}):\n${logTail(logPath)}`)
}

/** A process of the harness died: there is no sense in waiting for it any longer. */
export class EndedByItself extends Error {}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    // Also when the leader is gone: an agent's Envoy outlives it while it drains.
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is empty.
  }
}

function armExit(): void {
  if (armed) return
  armed = true
  process.once('exit', () => {
    for (const one of running) one.kill()
  })
}
