import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { StartError } from './start-error.ts'

export interface SandboxOptions {
  /** 0: any free port. */
  readonly port: number
  /** Where state and `sandbox.json` lie. */
  readonly folder: string
  /** Start over: what was kept is deleted. */
  readonly reset: boolean
  /** No demo data. */
  readonly empty: boolean
  /** One more emulated cluster, with Linkerd. */
  readonly linkerd: boolean
  /** A real cluster in place of the emulated ones. */
  readonly kubeconfig?: string
  /** A real Prometheus for clusters that name none of their own. */
  readonly prometheus?: string
  /** Glob of the modules with the functions; the sources when left out. */
  readonly functions?: string
  readonly quiet: boolean
}

export const USAGE = `npm start -- [options]
  --port N            port of the API (default 7071; 0: any free one)
  --reset             start over
  --empty             no demo data
  --linkerd           one more emulated cluster, north, with Linkerd
  --kubeconfig FILE   a real cluster: every context of the file may be registered
  --prometheus URL    a real Prometheus, for clusters that name none
  --folder DIR        where state is kept (default .meshwright)
  --functions GLOB    run a build (dist/functions/*.js) in place of the sources
  --quiet             log errors only`

/** Options from the command line. Throws StartError with what is wrong. */
export function parseOptions(args: readonly string[]): SandboxOptions {
  const values = readArguments(args)
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN
  if (!(port <= 65_535)) throw new StartError(`--port: ${values.port} is no port.`)
  if (values.prometheus !== undefined && !isWebAddress(values.prometheus))
    throw new StartError(`--prometheus: ${values.prometheus} is no URL.`)
  return {
    port,
    folder: resolve(values.folder),
    reset: values.reset,
    empty: values.empty,
    quiet: values.quiet,
    linkerd: values.linkerd,
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: readable(values.kubeconfig) }),
    ...(values.prometheus === undefined ? {} : { prometheus: values.prometheus }),
    ...(values.functions === undefined ? {} : { functions: values.functions }),
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '7071' },
        folder: { type: 'string', default: '.meshwright' },
        reset: { type: 'boolean', default: false },
        empty: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        linkerd: { type: 'boolean', default: false },
        kubeconfig: { type: 'string' },
        prometheus: { type: 'string' },
        functions: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function isWebAddress(text: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? '')
}

function readable(path: string): string {
  const file = resolve(path)
  try {
    accessSync(file, constants.R_OK)
  } catch {
    throw new StartError(`--kubeconfig: ${file} cannot be read.`)
  }
  return file
}
