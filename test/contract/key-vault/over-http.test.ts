import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { emulatedHttpClient } from '../../../src/adapters/azure-http.ts'
import { keyVaults } from '../../../src/adapters/key-vault/key-vaults.ts'
import { managedIdentity } from '../../../src/adapters/managed-identity.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { azureServices, azureVariables } from '../../../src/sandbox/azure-services.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { SANDBOX_VAULT, sandboxVault } from '../../../src/sandbox/sandbox-vault.ts'
import { serviceRoutes } from '../../../src/sandbox/service-routes.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'

let services: Served
let variables: Record<string, string>
beforeAll(async () => {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const { entra } = await azureServices(context)
  const { keyVault } = sandboxVault(context, entra, { issueMs: 1 })
  const azure = { [new URL(SANDBOX_VAULT).host]: keyVault.handle }
  services = await serve(serviceRoutes({ entra: entra.handle, azure }), { port: 0 })
  variables = azureVariables({ cosmos: services.url, queues: services.url, services: services.url })
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await services.close()
})

it('the app as `npm start` runs it: managed identity, public addresses, sockets, a certificate with its key', async () => {
  const httpClient = emulatedHttpClient(variables.MESHWRIGHT_EMULATED_AZURE ?? '')
  const credential = managedIdentity(variables.MESHWRIGHT_CLIENT_ID)
  const vault = keyVaults({ credential, httpClient, fetch }, systemClock()).open(variables.MESHWRIGHT_VAULT ?? '')
  const key = { type: 'EC', curve: 'P-256' } as const
  await vault.create('shop', { issuer: { kind: 'self' }, dnsNames: ['a.example.com'], validityMonths: 3, key }, {})
  const version = await vi.waitUntil(() => vault.version('shop'))
  expect(new X509Certificate(version.pem).subjectAltName).toBe('DNS:a.example.com')
  expect((await vault.secret('shop', version.version)).value).toContain('PRIVATE KEY')
  await expect(
    vault.create(
      'shop',
      { issuer: { kind: 'integrated', name: 'x' }, dnsNames: ['a.example.com'], validityMonths: 3, key },
      {},
    ),
  ).rejects.toMatchObject({ kind: 'not-found' })
})

it('keys and secrets as `npm start` runs them: a signature and a value over sockets', async () => {
  const httpClient = emulatedHttpClient(variables.MESHWRIGHT_EMULATED_AZURE ?? '')
  const credential = managedIdentity(variables.MESHWRIGHT_CLIENT_ID)
  const vaults = keyVaults({ credential, httpClient, fetch }, systemClock())
  const [keys, secrets] = [vaults.keys(SANDBOX_VAULT), vaults.secrets(SANDBOX_VAULT)]
  const key = await keys.createKey('mesh-root', { hsm: true, tags: {} })
  expect(key.hsm).toBe(true)
  expect(await keys.sign(key, Buffer.from('bytes'))).toHaveLength(96)
  const version = await secrets.setSecret('root-cert', 'text\n', { tags: { rotation: 'r1' } })
  expect(await secrets.readSecret('root-cert')).toMatchObject({ value: 'text\n', version, tags: { rotation: 'r1' } })
})
