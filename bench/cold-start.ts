import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildFunctions } from '../scripts/build.ts'
import { azureServices, azureVariables } from '../src/sandbox/azure-services.ts'
import { serve } from '../src/sandbox/emulators/serve.ts'
import { SANDBOX_PEOPLE } from '../src/sandbox/identities.ts'
import { memoryStorage } from '../src/sandbox/storage.ts'
import { type Figure, median } from './figure.ts'

const RUNS = 9

/**
 * From the start of the process to the first answer, the product's bundle against a bare hello-world in the same host.
 * Cosmos DB and Entra ID answer from emulators in this process. Medians of alternating runs.
 */
export async function coldStart(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(resolve('.bench-'))
  const azure = await azureServices({ now: Date.now, random: Math.random, storage: memoryStorage() })
  const [cosmos, entra] = await Promise.all([serve(azure.cosmos, { port: 0 }), serve(azure.entra.handle, { port: 0 })])
  try {
    await buildFunctions({ functions: 'functions', out: join(folder, 'app') })
    await buildFunctions({ functions: 'bench/hello', out: join(folder, 'hello') })
    const variables = {
      ...azureVariables({ cosmos: cosmos.url, queues: cosmos.url, services: entra.url }),
      MESHWRIGHT_ROLES: 'edge',
    }
    const token = await azure.entra.issueToken(SANDBOX_PEOPLE.viewer)
    const app = `${join(folder, 'app', 'functions')}/*.js`
    const hello = `${join(folder, 'hello', 'functions')}/*.js`
    // Once unmeasured: the database's containers are made at the first call.
    await firstAnswer(app, '/api/v1/services', variables, token)
    const times: Record<'hello' | 'health' | 'services', number[]> = { hello: [], health: [], services: [] }
    for (let run = 0; run < RUNS; run += 1) {
      times.hello.push(await firstAnswer(hello, '/healthz', variables, token))
      times.health.push(await firstAnswer(app, '/healthz', variables, token))
      times.services.push(await firstAnswer(app, '/api/v1/services', variables, token))
    }
    const base = median(times.hello)
    return [
      { name: 'cold start to GET /healthz', value: median(times.health) / base, unit: '× hello-world', limit: 1.3 },
      { name: 'cold start to GET /services', value: median(times.services) / base, unit: '× hello-world', limit: 2 },
      { name: 'hello-world itself', value: base, unit: 'ms' },
    ]
  } finally {
    await Promise.all([cosmos.close(), entra.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds from spawning a process to its first answer. */
async function firstAnswer(
  glob: string,
  path: string,
  variables: Record<string, string>,
  token: string,
): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['bench/run-host.ts', glob], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (line) => resolve(String(line).trim()))
      child.once('exit', (code) => reject(new Error(`the host ended with ${code}`)))
    })
    const response = await fetch(`${url.replace(/\/$/, '')}${path}`, { headers: { authorization: `Bearer ${token}` } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
    return performance.now() - startedAt
  } finally {
    child.kill('SIGKILL')
  }
}
