import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureParts } from './parts/parts.ts'

/**
 * `npm run test:real [-- FILTER …]`: builds what is missing while there is still a network, then runs vitest's project `real`
 * inside namespaces of its own (see namespace.sh), where the real mesh lives. Arguments go to vitest. With `-- --exec COMMAND …`
 * it runs a command there instead.
 * In CI a missing part fails the run; elsewhere the tests that need it are skipped, with the reason.
 */
function main(): void {
  const found = ensureParts()
  if (!found.ok) {
    console.error(`Real parts are missing: ${found.missing}`)
    if (process.env.CI === 'true') process.exit(1)
  }
  const command = commandToRun(process.argv.slice(2))
  const cannot = whyNoNamespaces()
  if (cannot !== null) {
    console.error(`No namespaces: ${cannot}`)
    if (process.env.CI === 'true') process.exit(1)
  }
  const [program = '', ...args] =
    cannot === null ? ['setpriv', ...UNSHARE, join(here, 'namespace.sh'), ...command] : command
  run(program, args)
}

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))

/** If this launcher dies, so does unshare; if unshare dies, so does the whole process namespace. */
const UNSHARE = [
  ...['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
]

function commandToRun(args: string[]): string[] {
  if (args[0] === '--exec') return args.slice(1)
  return [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'real', ...args]
}

function whyNoNamespaces(): string | null {
  if (!existsSync('/usr/bin/unshare') || !existsSync('/usr/bin/setpriv')) return 'unshare or setpriv is not installed'
  const tried = spawnSync('setpriv', [...UNSHARE, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' })
  if (tried.status === 0) return null
  return `${tried.error?.message ?? ''}${tried.stderr ?? ''}`.trim() || 'unshare failed'
}

function run(command: string, args: string[]): void {
  const child = spawn(command, args, { stdio: 'inherit', cwd: root })
  // Ctrl-C reaches vitest by itself (same terminal), which stops in order; a second one, or a SIGTERM, ends all at once.
  let interrupts = 0
  process.on('SIGINT', () => ++interrupts > 1 && child.kill('SIGKILL'))
  process.on('SIGTERM', () => child.kill('SIGKILL'))
  child.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

main()
