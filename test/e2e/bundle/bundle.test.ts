import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { buildFunctions } from '../../../scripts/build.ts'
import { azureServices, azureVariables } from '../../../src/sandbox/azure-services.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { SANDBOX_PEOPLE } from '../../../src/sandbox/identities.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { type Ingestion, ingestion } from '../telemetry/ingestion.ts'
import { serveSecurely } from '../telemetry/secure-server.ts'
import { type BundleProcess, startBundle } from './bundle-process.ts'

/** Packages that a call which touches no cluster and no vault must not load, nor where no traces are wanted. */
const HEAVY = /node_modules\/(@kubernetes\/client-node|@azure\/(arm-|keyvault-|identity)|@opentelemetry|undici)/

const out = join(mkdtempSync(join(tmpdir(), 'meshwright-')), 'dist')
let metafile: Metafile
let services: Served[]
let child: BundleProcess
let variables: Record<string, string>
let token: string

beforeAll(async () => {
  metafile = await buildFunctions({ functions: 'functions', out })
  const azure = await azureServices({ now: Date.now, random: Math.random, storage: memoryStorage() })
  services = await Promise.all([serve(azure.cosmos, { port: 0 }), serve(azure.entra.handle, { port: 0 })])
  const [cosmos, entra] = services.map(({ url }) => url)
  token = await azure.entra.issueToken(SANDBOX_PEOPLE.viewer)
  variables = {
    ...azureVariables({ cosmos: cosmos ?? '', queues: cosmos ?? '', services: entra ?? '' }),
    MESHWRIGHT_ROLES: 'edge',
  }
  child = await startBundle({ out, metafile }, variables)
})

afterAll(async () => {
  child.stop()
  for (const service of services) await service.close()
  rmSync(join(out, '..'), { recursive: true, force: true })
})

describe('the bundle of the product', () => {
  it('holds nothing of the sandbox, the command line or the tests', () => {
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.some((file) => file.endsWith('src/app.ts'))).toBe(true)
    expect(inputs.filter((file) => /(^|\/)(src\/(sandbox|cli)|test|bench)\//.test(file))).toEqual([])
  })

  it('answers liveness without loading the app', async () => {
    expect((await fetch(new URL('/healthz', child.baseUrl))).status).toBe(200)
    const sources = await child.loadedSources()
    expect(sources.some((file) => file.endsWith('functions/api.ts'))).toBe(true)
    expect(sources.filter((file) => file.endsWith('src/app.ts') || HEAVY.test(file))).toEqual([])
  })

  it('lists services without loading Kubernetes, ARM or vault code', async () => {
    const response = await fetch(new URL('/api/v1/services', child.baseUrl), {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([response.status, await response.json()]).toEqual([200, { value: [] }])
    const sources = await child.loadedSources()
    expect(sources.some((file) => file.includes('@azure/cosmos'))).toBe(true)
    expect(sources.filter((file) => HEAVY.test(file))).toEqual([])
  })

  it('loads the way to Application Insights where it is set, after the first call, and gets through', async () => {
    const iKey = '5f0d8a4e-1b7c-4c1e-9a53-6a2f0d1c7b9e'
    let insights: Ingestion | undefined
    const server = await serveSecurely((request) => insights?.handle(request) ?? Promise.reject(new Error('too early')))
    insights = ingestion({ iKey, host: server.host })
    const trusted = join(out, 'trusted.pem')
    writeFileSync(trusted, server.certificate)
    const told = await startBundle(
      { out, metafile },
      {
        ...variables,
        APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${iKey};IngestionEndpoint=https://${server.host}/`,
        NODE_EXTRA_CA_CERTS: trusted,
      },
    )
    try {
      expect((await fetch(new URL('/api/v1/services', told.baseUrl))).status).toBe(401)
      const names = () => insights.items.map(({ data }) => data.baseData.name ?? data.baseData.message)
      await vi.waitFor(
        () => expect(names()).toEqual(expect.arrayContaining(['GET /services', 'http.unauthenticated'])),
        {
          timeout: 10_000,
        },
      )
      const sources = await told.loadedSources()
      expect(sources.some((file) => file.includes('monitor-opentelemetry-exporter'))).toBe(true)
      expect(sources.filter((file) => /otlp/.test(file))).toEqual([])
    } finally {
      told.stop()
      server.close()
    }
  })
})
