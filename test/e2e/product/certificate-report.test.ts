import { afterAll, beforeAll, expect, test } from 'vitest'
import { SANDBOX_IDENTITY } from '../../../src/sandbox/identities.ts'
import { sandboxClusterId } from '../../../src/sandbox/managed-clusters.ts'
import { type TestCaSet, testCaSet, testRoot } from '../../unit/fakes/mesh-authority.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct('--empty')
})
afterAll(() => product.close())

interface Report {
  readonly value: readonly {
    readonly kind: string
    readonly subject: string | null
    readonly registeredAs: string | null
    readonly renewedBy: string
    readonly daysLeft: number
    readonly namespaces: number
    readonly places: readonly {
      readonly where: string
      readonly cluster?: string
      readonly workloadTtl?: { readonly value: string; readonly assumed: boolean }
    }[]
  }[]
  readonly gaps: readonly { readonly place: string; readonly reason: string }[]
}

async function report(query: string, wanted: (report: Report) => boolean): Promise<Report> {
  return until(async () => (await product.call<Report>('GET', `/certificate-report${query}`)).body, wanted)
}

/** Writes the four secrets of the plug-in CA, as a person does. */
async function write({ rootCert, caCert, certChain, caKey }: TestCaSet): Promise<void> {
  const services = product.file.webhooks.replace(/\/webhooks$/, '')
  const query = `resource=https://vault.azure.net&api-version=2019-08-01&client_id=${SANDBOX_IDENTITY.clientId}`
  const headers = { 'x-identity-header': SANDBOX_IDENTITY.header }
  const answer = await fetch(`${services}/msi/token?${query}`, { headers })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const secrets = { 'ca-key': caKey, 'ca-cert': caCert, 'cert-chain': certChain, 'root-cert': rootCert }
  for (const [name, value] of Object.entries(secrets)) {
    const written = await fetch(`${services}/azure/sandbox.vault.azure.net/secrets/${name}?api-version=7.4`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ value }),
    })
    expect(written.status).toBe(200)
  }
}

const register = async (cluster: string) => {
  const body = { resourceId: sandboxClusterId(cluster) }
  expect((await product.call('PUT', `/clusters/${cluster}?wait=30s`, { body })).status).toBe(201)
}

test('the root that an istiod made for itself is told of, though nobody registered it', {
  timeout: 120_000,
}, async () => {
  await register('west')
  const west = await report('?cluster=west', ({ value }) => value.length > 0)
  expect(west.value).toMatchObject([
    {
      ...{ kind: 'mesh-root', subject: 'O=cluster.local', registeredAs: null, renewedBy: 'istiod' },
      places: [{ where: 'bundle', cluster: 'west', workloadTtl: { value: '24h', assumed: true } }],
    },
  ])
  expect(west.value[0]?.namespaces).toBeGreaterThan(0)
  expect(west.gaps).toEqual([])
})

test('so is a plug-in CA that nobody registered, by its public secrets, and by its name once somebody did', {
  timeout: 120_000,
}, async () => {
  const now = Date.now() - 60_000
  await write(await testCaSet(await testRoot('a', now), now, { lifetimeMs: 40 * 86_400_000 }))
  await register('east')
  const found = await report('?cluster=east&expiresWithin=60d', ({ value }) => value.length > 0)
  expect(found.value).toMatchObject([
    {
      ...{ kind: 'mesh-signer', subject: 'CN=intermediate-a, O=mesh', registeredAs: null, renewedBy: 'hand' },
      ...{ daysLeft: 39, places: [{ where: 'vault', object: 'secret ca-cert', cluster: 'east' }] },
    },
  ])
  const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key', hsm: false }, workloadTtl: '2h' }
  expect((await product.call('PUT', '/certificates/east-ca', { body })).status).toBe(201)
  const isOurs = ({ value }: Report) =>
    value.length > 0 && value.every(({ registeredAs }) => registeredAs === 'east-ca')
  const ours = await report('?cluster=east', isOurs)
  expect(ours.value[0]).toMatchObject({
    renewedBy: 'meshwright',
    places: [{ where: 'vault', cluster: 'east', workloadTtl: { value: '2h', assumed: false } }],
  })
  expect(JSON.stringify([found, ours])).not.toContain('PRIVATE')
})
