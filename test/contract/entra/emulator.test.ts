import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { managedIdentity } from '../../../src/adapters/managed-identity.ts'
import { azureServices, azureVariables } from '../../../src/sandbox/azure-services.ts'
import { type EntraEmulator, entraEmulator } from '../../../src/sandbox/emulators/entra/entra.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { SANDBOX_IDENTITY, SANDBOX_PEOPLE, SANDBOX_TENANT } from '../../../src/sandbox/identities.ts'
import { serviceRoutes } from '../../../src/sandbox/service-routes.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'

const VAULT = 'https://vault.azure.net'

describe('the managed identity of the sandbox', () => {
  let entra: EntraEmulator
  let services: Served
  let variables: Record<string, string>
  // MSAL keeps the first endpoint that it sees for the life of the process: one server serves all.
  beforeAll(async () => {
    const azure = await azureServices({ now: Date.now, random: Math.random, storage: memoryStorage() })
    entra = azure.entra
    services = await serve(serviceRoutes({ entra: entra.handle, azure: {} }), { port: 0 })
    variables = azureVariables({ cosmos: services.url, queues: services.url, services: services.url })
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await services.close()
  })

  it('gives the real SDK a token for the service that it asks for, and for no other', async () => {
    const credential = managedIdentity(variables.MESHWRIGHT_CLIENT_ID)
    const answer = await credential.getToken(`${VAULT}/.default`)
    const token = answer?.token ?? ''
    expect(await entra.checkToken(token, VAULT)).toBe(true)
    expect(await entra.checkToken(token, `${VAULT}/`)).toBe(true)
    expect(await entra.checkToken(token, 'https://management.azure.com')).toBe(false)
    expect(claimsOf(token)).toMatchObject({
      aud: VAULT,
      appid: SANDBOX_IDENTITY.clientId,
      oid: SANDBOX_IDENTITY.objectId,
      tid: SANDBOX_TENANT,
    })
    expect(answer?.expiresOnTimestamp).toBe(Number(claimsOf(token).exp) * 1000)
  })

  it('gives none for another identity', async () => {
    const other = managedIdentity('00000000-dddd-4000-8000-00000000ffff')
    await expect(other.getToken(`${VAULT}/.default`)).rejects.toThrow('No User Assigned or Delegated Managed Identity')
  })

  it.each([
    ['without the secret of the endpoint', {}, `resource=${VAULT}&api-version=2019-08-01`, 401],
    ['with another secret', { 'x-identity-header': 'other' }, `resource=${VAULT}&api-version=2019-08-01`, 401],
    ['of another version', { 'x-identity-header': SANDBOX_IDENTITY.header }, `resource=${VAULT}`, 400],
    ['for no resource', { 'x-identity-header': SANDBOX_IDENTITY.header }, 'api-version=2019-08-01', 400],
  ])('refuses a call %s', async (_, headers, query, status) => {
    const response = await fetch(`${variables.IDENTITY_ENDPOINT}?${query}`, { headers })
    expect(response.status).toBe(status)
    expect(await response.text()).not.toContain('access_token')
  })
})

describe('checking a token', () => {
  it('refuses one that is over, one of another key, one of another tenant and one of a person for the API', async () => {
    let now = Date.UTC(2030, 0, 1)
    const entra = await tenant(SANDBOX_TENANT, () => now)
    const token = await entra.issueServiceToken(VAULT, 600)
    expect(await entra.checkToken(token, VAULT)).toBe(true)
    const otherKey = await tenant(SANDBOX_TENANT, () => now)
    expect(await entra.checkToken(await otherKey.issueServiceToken(VAULT), VAULT)).toBe(false)
    expect(await entra.checkToken(await entra.issueToken(SANDBOX_PEOPLE.admin), VAULT)).toBe(false)
    expect(await entra.checkToken(await entra.issueToken(SANDBOX_PEOPLE.admin, { tid: 'other' }), 'api://app')).toBe(
      false,
    )
    expect(await entra.checkToken('not a token', VAULT)).toBe(false)
    now += 601_000
    expect(await entra.checkToken(token, VAULT)).toBe(false)
  })
})

function tenant(tenantId: string, now: () => number): Promise<EntraEmulator> {
  const options = { tenantId, issuer: 'https://sandbox.invalid/v2.0', audience: 'api://app', lifetimeS: 600 }
  return entraEmulator({ now, random: Math.random, storage: memoryStorage() }, options)
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
