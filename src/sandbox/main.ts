import type { HostLog } from './host/host-log.ts'
import { startSandbox } from './sandbox.ts'
import { parseOptions, USAGE } from './sandbox-options.ts'
import { explainStart } from './start-error.ts'

/** `npm start`: the product on this machine. Runs until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(USAGE)
  const options = parseOptions(process.argv.slice(2))
  const log: HostLog = (line) => {
    if (!options.quiet || line.level === 'error' || line.level === 'critical')
      console.error(`${line.level} ${line.functionName ?? 'host'} ${line.message}`)
  }
  const sandbox = await startSandbox(options, log)
  let _stopping: Promise<void> | undefined
  const stop = () => {
    _stopping ??= sandbox.stop().then(() => process.exit(0))
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  // Whoever started this as a part of something takes it along.
  process.once('disconnect', stop)
  const { file } = sandbox
  console.log(`Meshwright is ready.
  API        ${file.baseUrl}/api/v1
  dashboard  ${file.dashboard}
  docs       ${file.docs}
  tokens     ${options.folder}/sandbox.json
Stop with Ctrl+C.`)
}

main().catch((error: unknown) => {
  console.error(explainStart(error))
  // What has been started so far would keep the process alive.
  process.exit(1)
})
