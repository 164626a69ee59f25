import { afterAll, beforeAll, expect, test } from 'vitest'
import { SANDBOX_IDENTITY } from '../../../src/sandbox/identities.ts'
import { type TestCaSet, testCaSet, testRoot } from '../../unit/fakes/mesh-authority.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

interface Trust {
  readonly reason: string
  readonly bundles: readonly { readonly roots: readonly { readonly subject: string }[] }[]
}

const subjects = (trust: Trust) => trust.bundles.map(({ roots }) => roots.map(({ subject }) => subject))

async function trustOf(cluster: string, wanted: (trust: Trust) => boolean): Promise<Trust> {
  return until(async () => (await product.call<Trust>('GET', `/clusters/${cluster}/trust`)).body, wanted)
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

test('what the vault holds comes to every namespace through istiod, as far as it may, and is shown', {
  timeout: 60_000,
}, async () => {
  await product.world('PATCH', '/azure/east', {
    properties: {
      addonProfiles: {
        azureKeyvaultSecretsProvider: {
          enabled: true,
          config: { enableSecretRotation: 'true', rotationPollInterval: '1s' },
        },
      },
    },
  })
  const own = await trustOf('west', ({ reason }) => reason === 'Read')
  expect(subjects(own)).toEqual([['O=cluster.local']])
  expect((await trustOf('east', () => true)).reason).toBe('NoBundles')
  const now = Date.now() - 60_000
  const [a, b] = [await testRoot('a', now), await testRoot('b', now)]
  const set = await testCaSet(a, now)
  await write(set)
  const one = await trustOf('east', ({ reason }) => reason === 'Read')
  expect(subjects(one)).toEqual([['CN=root-a, O=mesh']])
  await write({ ...set, rootCert: a.pem + b.pem })
  await trustOf('east', (trust) => trust.bundles.length === 1 && trust.bundles[0]?.roots.length === 2)
  await write(await testCaSet(b, now))
  const narrowed = await trustOf('east', (trust) => trust.bundles[0]?.roots.length === 1)
  expect(subjects(narrowed)).toEqual([['CN=root-b, O=mesh']])
})
