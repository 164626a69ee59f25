import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildFunctions } from '../../../scripts/build.ts'
import { azureServices, azureVariables } from '../../../src/sandbox/azure-services.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { SANDBOX_PEOPLE } from '../../../src/sandbox/identities.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'

/** Packages that a call which touches no cluster and no vault must not load, nor where no traces are wanted. */
const HEAVY = /node_modules\/(@kubernetes\/client-node|@azure\/(arm-|keyvault-|identity)|@opentelemetry|undici)/

const out = join(mkdtempSync(join(tmpdir(), 'meshwright-')), 'dist')
let metafile: Metafile
let services: Served[]
let child: ChildProcess
let lines: Interface
let baseUrl: string
let token: string

beforeAll(async () => {
  metafile = await buildFunctions({ functions: 'functions', out })
  const azure = await azureServices({ now: Date.now, random: Math.random, storage: memoryStorage() })
  services = await Promise.all([serve(azure.cosmos, { port: 0 }), serve(azure.entra.handle, { port: 0 })])
  const [cosmos, entra] = services.map(({ url }) => url)
  token = await azure.entra.issueToken(SANDBOX_PEOPLE.viewer)
  const variables = azureVariables({ cosmos: cosmos ?? '', queues: cosmos ?? '', services: entra ?? '' })
  const env = { ...process.env, ...variables, MESHWRIGHT_ROLES: 'edge' }
  child = spawn(process.execPath, ['test/e2e/bundle/run-bundle.ts', out], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  if (!child.stdout) throw new Error('no output')
  lines = createInterface({ input: child.stdout })
  baseUrl = (await nextLine()).url ?? ''
})

afterAll(async () => {
  child.kill('SIGKILL')
  for (const service of services) await service.close()
  rmSync(join(out, '..'), { recursive: true, force: true })
})

async function nextLine(): Promise<{ url?: string; loaded?: string[] }> {
  return new Promise((resolve) => lines.once('line', (line) => resolve(JSON.parse(line))))
}

/** Sources in the files of the bundle that the process has loaded so far. */
async function loadedSources(): Promise<readonly string[]> {
  const answer = nextLine()
  child.kill('SIGUSR2')
  const loaded = (await answer).loaded ?? []
  return Object.entries(metafile.outputs)
    .filter(([file]) => loaded.some((name) => file.endsWith(name)))
    .flatMap(([, { inputs }]) => Object.keys(inputs))
}

describe('the bundle of the product', () => {
  it('holds nothing of the sandbox, the command line or the tests', () => {
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.some((file) => file.endsWith('src/app.ts'))).toBe(true)
    expect(inputs.filter((file) => /(^|\/)(src\/(sandbox|cli)|test|bench)\//.test(file))).toEqual([])
  })

  it('answers liveness without loading the app', async () => {
    expect((await fetch(new URL('/healthz', baseUrl))).status).toBe(200)
    const sources = await loadedSources()
    expect(sources.some((file) => file.endsWith('functions/api.ts'))).toBe(true)
    expect(sources.filter((file) => file.endsWith('src/app.ts') || HEAVY.test(file))).toEqual([])
  })

  it('lists services without loading Kubernetes, ARM or vault code', async () => {
    const response = await fetch(new URL('/api/v1/services', baseUrl), {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([response.status, await response.json()]).toEqual([200, { value: [] }])
    const sources = await loadedSources()
    expect(sources.some((file) => file.includes('@azure/cosmos'))).toBe(true)
    expect(sources.filter((file) => HEAVY.test(file))).toEqual([])
  })
})
