import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FIXTURE, openMetrics } from './fixture.ts'
import type { Ask, PrometheusUnderTest } from './suite.ts'

/** The version of the `prometheus` on the PATH, for example `2.42.0+ds`; undefined when there is none with `promtool`. */
export function installedPrometheus(): string | undefined {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'pipe' })
    const text = execFileSync('prometheus', ['--version'], { encoding: 'utf8', stdio: 'pipe' })
    return /version (\S+?),? /.exec(text)?.[1]
  } catch {
    return undefined
  }
}

/** Starts the installed Prometheus on FIXTURE, written as blocks by promtool; `close` ends it and removes its folder. */
export async function realPrometheus(): Promise<PrometheusUnderTest & { readonly url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-contract-'))
  writeFileSync(join(folder, 'fixture.om'), openMetrics(FIXTURE))
  writeFileSync(join(folder, 'config.yaml'), 'scrape_configs: []\n')
  const data = join(folder, 'data')
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'fixture.om'), data], {
    stdio: 'pipe',
  })
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn('prometheus', [
    `--config.file=${join(folder, 'config.yaml')}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=100y',
    `--web.listen-address=${address}`,
  ])
  const ended = once(child, 'exit')
  const base = `http://${address}`
  await untilReady(`${base}/-/ready`)
  return {
    url: base,
    majorVersion: installedPrometheus()?.startsWith('2.') ? 2 : 3,
    ask: (ask) => askOver(base, ask),
    async close() {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function askOver(base: string, { path, query, form, method }: Ask) {
  const response = await fetch(`${base}${path}?${new URLSearchParams(query)}`, {
    method: method ?? (form ? 'POST' : 'GET'),
    ...(form ? { body: new URLSearchParams(form) } : {}),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: response.status, body: isJson ? JSON.parse(text) : text }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await sleep(100)
  }
  throw new Error('Prometheus did not become ready in 20 s')
}
