import { afterAll, beforeAll, expect, test } from 'vitest'
import { SANDBOX_IDENTITY } from '../../../src/sandbox/identities.ts'
import { type TestCaSet, testCaSet, testRoot } from '../../unit/fakes/mesh-authority.ts'
import { outsideCa } from '../../unit/fakes/outside-ca.ts'
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

interface Ca {
  readonly phase: string
  readonly current?: { readonly roots: readonly { readonly subject: string }[] }
  readonly rotation?: { readonly takenAt?: string; readonly message: string; readonly csr?: string }
}

/** How long after it was taken a Pod has to start so that nothing of before is left in it: a quarter of the TTL. */
const SPREAD_MS = 15_000

async function caIs(phase: string): Promise<Ca> {
  return until(
    async () => (await product.call<Ca>('GET', '/certificates/east-ca')).body,
    (ca) => ca.phase === phase,
  )
}

/** Every Pod goes and comes again. */
async function restartPods(): Promise<void> {
  for (const version of ['v1', 'v2']) {
    const path = `/clusters/east/services/shop/web/versions/${version}`
    await product.world('PATCH', path, { pods: 0 })
    await product.world('PATCH', path, { pods: 2 })
  }
}

test('a root is rotated by one call, and Pods that are restarted take it on', { timeout: 180_000 }, async () => {
  const root = { kind: 'vault-key', hsm: false }
  const body = { purpose: 'mesh-ca', cluster: 'east', root, workloadTtl: '1m' }
  const put = await product.call<Ca>('PUT', '/certificates/east-ca?wait=30s', { body })
  expect(put.status).toBe(201)
  expect((await trustOf('east', () => true)).bundles).toHaveLength(1)
  const asked = await product.call<Ca>('POST', '/certificates/east-ca/rotate', { body: { what: 'root' } })
  expect(asked.status).toBe(202)
  for (const phase of ['trusting', 'renewing']) {
    const { rotation } = await caIs(phase)
    expect(subjects(await trustOf('east', () => true))[0]).toHaveLength(2)
    const settledAt = Date.parse(rotation?.takenAt ?? '') + SPREAD_MS
    // Pods tell whole seconds.
    await until(
      async () => Date.now(),
      (now) => now > settledAt + 1000,
    )
    await restartPods()
  }
  const { current } = await caIs('succeeded')
  expect(current?.roots).toHaveLength(1)
  const wanted = current?.roots.map(({ subject }) => subject)
  expect(subjects(await trustOf('east', (trust) => trust.bundles[0]?.roots.length === 1))).toEqual([wanted])
})

test('a bad chain of another CA is refused before it reaches the vault', { timeout: 60_000 }, async () => {
  const held = subjects(await trustOf('east', () => true))
  const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'external' }, workloadTtl: '1m' }
  expect((await product.call('PUT', '/certificates/east-ca', { body })).status).toBe(200)
  await product.call('POST', '/certificates/east-ca/rotate', { body: { what: 'root' } })
  const { rotation } = await caIs('awaiting-issuer')
  const outside = await outsideCa('company')
  const bad = [{ otherKey: true }, { expiredMs: 3_600_000 }, { tooDeep: true }]
  const words = ['has not the key of the request', 'has expired at', 'CAs below it; the chain has']
  for (const [index, how] of bad.entries()) {
    const chain = await outside.sign(rotation?.csr ?? '', how)
    const answer = await product.call('POST', '/certificates/east-ca/complete', { body: { chain, root: outside.root } })
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([422, expect.stringContaining(words[index] ?? '')])
  }
  expect((await caIs('awaiting-issuer')).current?.roots.map(({ subject }) => [subject])).toEqual(held)
  expect((await product.call('POST', '/certificates/east-ca/abort?wait=20s')).status).toBe(200)
  expect(subjects(await trustOf('east', () => true))).toEqual(held)
  const again = { ...body, root: { kind: 'vault-key', hsm: false } }
  expect((await product.call('PUT', '/certificates/east-ca', { body: again })).status).toBe(200)
  expect((await product.call('POST', '/certificates/east-ca/rotate', { body: { what: 'root' } })).status).toBe(202)
  await caIs('trusting')
})
