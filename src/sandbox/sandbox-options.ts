import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface SandboxOptions {
  /** 0: any free port. */
  readonly port: number
  /** Where state and `sandbox.json` lie. */
  readonly folder: string
  /** Start over: what was kept is deleted. */
  readonly reset: boolean
  /** No demo data. */
  readonly empty: boolean
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
  --kubeconfig FILE   a real cluster: every context of the file may be registered
  --prometheus URL    a real Prometheus, for clusters that name none
  --folder DIR        where state is kept (default .meshwright)
  --functions GLOB    run a build (dist/functions/*.js) in place of the sources
  --quiet             no request log`

/** Options from the command line. Throws TypeError with what is wrong. */
export function parseOptions(args: readonly string[]): SandboxOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '7071' },
      folder: { type: 'string', default: '.meshwright' },
      reset: { type: 'boolean', default: false },
      empty: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
      prometheus: { type: 'string' },
      functions: { type: 'string' },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new TypeError(`--port: ${values.port} is no port`)
  if (values.prometheus !== undefined && !URL.canParse(values.prometheus))
    throw new TypeError(`--prometheus: ${values.prometheus} is no URL`)
  return {
    port,
    folder: resolve(values.folder),
    reset: values.reset,
    empty: values.empty,
    quiet: values.quiet,
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: resolve(values.kubeconfig) }),
    ...(values.prometheus === undefined ? {} : { prometheus: values.prometheus }),
    ...(values.functions === undefined ? {} : { functions: values.functions }),
  }
}
