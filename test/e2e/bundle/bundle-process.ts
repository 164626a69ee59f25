import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Metafile } from 'esbuild'

/** The bundle in the local host, in a process of its own. */
export interface BundleProcess {
  readonly baseUrl: string
  /** Sources in the files of the bundle that the process has loaded so far. */
  loadedSources(): Promise<readonly string[]>
  stop(): void
}

export async function startBundle(
  { out, metafile }: { out: string; metafile: Metafile },
  variables: Readonly<Record<string, string>>,
): Promise<BundleProcess> {
  const env = { ...process.env, ...variables }
  const child = spawn(process.execPath, ['test/e2e/bundle/run-bundle.ts', out], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const nextLine = () =>
    new Promise<{ url?: string; loaded?: string[] }>((resolve) =>
      lines.once('line', (line) => resolve(JSON.parse(line))),
    )
  const { url = '' } = await nextLine()
  return {
    baseUrl: url,
    async loadedSources() {
      const answer = nextLine()
      child.kill('SIGUSR2')
      const loaded = (await answer).loaded ?? []
      return Object.entries(metafile.outputs)
        .filter(([file]) => loaded.some((name) => file.endsWith(name)))
        .flatMap(([, { inputs }]) => Object.keys(inputs))
    },
    stop: () => void child.kill('SIGKILL'),
  }
}
