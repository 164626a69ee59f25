import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CertificateView } from '../../../src/http/views/certificate-view.ts'
import { SANDBOX_IDENTITY } from '../../../src/sandbox/identities.ts'
import { SANDBOX_VAULT } from '../../../src/sandbox/sandbox-vault.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

/** As another hand with rights on the vault: by its own REST API. */
async function vault(method: string, path: string, body: object): Promise<number> {
  const services = new URL(product.file.world ?? '').origin
  const query = `resource=${encodeURIComponent('https://vault.azure.net')}&api-version=2019-08-01&client_id=${SANDBOX_IDENTITY.clientId}`
  const headers = { 'x-identity-header': SANDBOX_IDENTITY.header }
  const answer = await fetch(`${services}/msi/token?${query}`, { headers })
  const token = ((await answer.json()) as { access_token: string }).access_token
  const response = await fetch(`${services}/azure/${new URL(SANDBOX_VAULT).host}${path}?api-version=7.6`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.status
}

test('a version of another hand comes to the cluster by its event', { timeout: 60_000 }, async () => {
  const body = {
    purpose: 'gateway-tls',
    dnsNames: ['web.example.com'],
    clusters: ['east'],
    secret: { namespace: 'shop', name: 'web-tls' },
    issuer: { kind: 'self' },
  }
  const put = await product.call<CertificateView>('PUT', '/certificates/web-tls?wait=60s', { body })
  expect(put.body.phase).toBe('succeeded')
  const policy = {
    key_props: { kty: 'RSA', key_size: 2048, exportable: true },
    secret_props: { contentType: 'application/x-pem-file' },
    x509_props: { subject: 'CN=web.example.com', sans: { dns_names: ['web.example.com'] }, validity_months: 6 },
    issuer: { name: 'Self' },
  }
  expect(await vault('POST', '/certificates/web-tls/create', { policy })).toBe(202)
  const look = async () => (await product.call<CertificateView>('GET', '/certificates/web-tls')).body
  const after = await until(look, ({ serial }) => serial !== put.body.serial)
  expect(after).toMatchObject({ phase: 'succeeded', rotation: { reason: 'Delivered', actor: { id: 'key-vault' } } })
})
