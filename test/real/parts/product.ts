import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KubeconfigEntry, kubeconfigOf } from './kubeconfig.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import { freePort, until } from './wait.ts'

/** Whose token a call carries; `sandbox.json` has one for each. */
export type Person = 'admin' | 'operator' | 'deployer' | 'approver' | 'viewer'

/** An answer of Meshwright's REST API: JSON, or text where it is none. */
export interface RestAnswer {
  readonly status: number
  readonly body: unknown
}

/** Meshwright as a person runs it, seen from outside: by REST, and by kill -9. */
export interface Product {
  /** One call below `/api/v1`. Rejects when nobody answers. */
  call(person: Person, method: string, path: string, body?: unknown): Promise<RestAnswer>
  /** As `call`, but throws unless the answer is a success; resolves with its body, believed to be a `T`. */
  must<T = unknown>(person: Person, method: string, path: string, body?: unknown): Promise<T>
  /** Where the emulated services of Azure are. */
  servicesUrl(): string
  /** The leader of the process group that it runs in. */
  pid(): number
  /** Throws, with the end of its log, if it has ended by itself. */
  assertAlive(): void
  /** All that it has written to its log since the first start. */
  log(): string
  /** SIGKILL, to npm and to Meshwright in one. */
  kill(): Promise<void>
  /** Starts again on the same folder and port, and resolves when it is ready. */
  startAgain(): Promise<void>
}

const root = join(import.meta.dirname, '../../..')

/** `npm start -- --kubeconfig FILE [--prometheus URL] …` on a folder of its own, the file with a context for each of `clusters`; resolves when it is ready (a few seconds). */
export async function startProduct(options: {
  dir: string
  clusters: readonly KubeconfigEntry[]
  /** For clusters that name none. */
  prometheusUrl?: string
  /** Settings beside the usual ones. */
  env?: Readonly<Record<string, string>>
}): Promise<Product> {
  const { dir, clusters, prometheusUrl, env } = options
  const [folder, kubeconfigPath] = [join(dir, 'state'), join(dir, 'kubeconfig')]
  mkdirSync(dir, { recursive: true })
  writeFileSync(kubeconfigPath, kubeconfigOf(clusters), { mode: 0o600 })
  const args = ['start', '--silent', '--', '--kubeconfig', kubeconfigPath]
  if (prometheusUrl !== undefined) args.push('--prometheus', prometheusUrl)
  args.push('--port', String(await freePort()), '--folder', folder)
  let starts = 0
  const start = async () => {
    starts += 1
    const name = `meshwright-${starts}`
    const started = startProcess({ dir, name, command: 'npm', args, cwd: root, env: { ...NPM, ...env } })
    await until('Meshwright is ready', 60_000, () => {
      started.assertAlive()
      return readFileSync(join(dir, `${name}.log`), 'utf8').includes('Meshwright is ready.')
    })
    return { process: started, ...readSandboxFile(join(folder, 'sandbox.json')) }
  }
  let running: Running = await start()
  const call: Product['call'] = (person, method, path, body) => send(running, person, method, path, body)
  return {
    call,
    async must<T>(person: Person, method: string, path: string, body?: unknown) {
      const answer = await call(person, method, path, body)
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body as T
    },
    servicesUrl: () => running.servicesUrl,
    pid: () => running.process.pid,
    assertAlive: () => running.process.assertAlive(),
    log: () =>
      Array.from({ length: starts }, (_, at) => readFileSync(join(dir, `meshwright-${at + 1}.log`), 'utf8')).join(''),
    kill: () => running.process.stop(),
    async startAgain() {
      running = await start()
    },
  }
}

/** npm looks for news of itself, and there is no network here. */
const NPM = { npm_config_update_notifier: 'false' }

interface Running {
  readonly process: RunningProcess
  readonly baseUrl: string
  readonly servicesUrl: string
  readonly tokens: Readonly<Record<Person, string>>
}

function readSandboxFile(path: string): Omit<Running, 'process'> {
  if (!existsSync(path)) throw new Error(`${path} is not there`)
  const file = JSON.parse(readFileSync(path, 'utf8')) as Pick<Running, 'baseUrl' | 'tokens'> & { webhooks: string }
  return { baseUrl: file.baseUrl, tokens: file.tokens, servicesUrl: file.webhooks.replace(/\/webhooks$/, '') }
}

async function send(
  { baseUrl, tokens }: Running,
  person: Person,
  method: string,
  path: string,
  body: unknown,
): Promise<RestAnswer> {
  const answer = await fetch(`${baseUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens[person]}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  try {
    return { status: answer.status, body: JSON.parse(text) }
  } catch {
    return { status: answer.status, body: text }
  }
}
