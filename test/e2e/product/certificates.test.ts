import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CertificateView, deliveryView } from '../../../src/http/views/certificate-view.ts'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { authority, signRequest } from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { type Product, startProduct } from './product.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

type Deliveries = { readonly value: readonly ReturnType<typeof deliveryView.parse>[] }

const WEB_TLS = {
  purpose: 'gateway-tls',
  dnsNames: ['web.example.com'],
  clusters: ['east', 'west'],
  secret: { namespace: 'shop', name: 'web-tls' },
  issuer: { kind: 'self' },
}

const serials = async (name: string) =>
  (await product.call<Deliveries>('GET', `/certificates/${name}/deliveries`)).body.value.map(({ held }) => held)

test('a certificate is made in the vault, brought to two clusters, and rotated', { timeout: 120_000 }, async () => {
  const put = await product.call<CertificateView>('PUT', '/certificates/web-tls?wait=60s', { body: WEB_TLS })
  expect([put.status, put.body.phase, put.body.rotation?.message]).toEqual([201, 'succeeded', expect.anything()])
  const { serial } = put.body
  expect(serial).toMatch(/^[1-9a-f][0-9a-f]*$/)
  expect(await serials('web-tls')).toEqual([serial, serial])
  const twin = await product.call<{ code: string }>('PUT', '/certificates/twin-tls', { body: WEB_TLS })
  expect([twin.status, twin.body.code]).toEqual([409, 'Conflict'])
  const other = { ...WEB_TLS, secret: { namespace: 'shop', name: 'twin-tls' }, vaultName: 'web-tls' }
  expect((await product.call('PUT', '/certificates/twin-tls', { body: other })).status).toBe(409)
  const rotated = await product.call<CertificateView>('POST', '/certificates/web-tls/rotate?wait=60s', {
    as: 'operator',
    body: { reason: 'a drill' },
    headers: { 'idempotency-key': 'drill-1' },
  })
  expect([rotated.status, rotated.body.phase]).toEqual([200, 'succeeded'])
  expect(rotated.body.serial).not.toBe(serial)
  expect(await serials('web-tls')).toEqual([rotated.body.serial, rotated.body.serial])
  const again = await product.call<CertificateView>('POST', '/certificates/web-tls/rotate?wait=60s', {
    as: 'operator',
    body: { reason: 'a drill' },
    headers: { 'idempotency-key': 'drill-1' },
  })
  expect(again.body.history).toHaveLength(2)
  const soon = await product.call<{ value: CertificateView[] }>('GET', '/certificates?expiresWithin=30d')
  expect(soon.body.value.map(({ name }) => name)).not.toContain('web-tls')
  const removed = await product.call('DELETE', '/certificates/web-tls?wait=60s')
  expect(removed.status).toBe(204)
})

test('another CA signs: the CSR is shown, its chain handed in, anything else refused', {
  timeout: 120_000,
}, async () => {
  const body = { ...WEB_TLS, secret: { namespace: 'shop', name: 'outside-tls' }, issuer: { kind: 'external' } }
  const put = await product.call<CertificateView>('PUT', '/certificates/outside-tls?wait=60s', { body })
  expect([put.status, put.body.phase]).toEqual([202, 'awaiting-issuer'])
  const chain = await signed(put.body.rotation?.csr ?? '')
  const complete = (text: string) =>
    product.call<CertificateView>('POST', '/certificates/outside-tls/complete?wait=60s', { body: { chain: text } })
  const other = await complete(chain.authority)
  expect([other.status, other.body]).toEqual([422, expect.objectContaining({ code: 'InvalidCombination' })])
  const upsideDown = await complete(chain.authority + chain.leaf)
  expect(upsideDown.status).toBe(422)
  const done = await complete(chain.leaf + chain.authority)
  expect([done.status, done.body.phase, done.body.rotation?.message]).toEqual([200, 'succeeded', expect.anything()])
  expect(done.body.current?.issuer).toContain('Outside CA')
  expect(await serials('outside-tls')).toEqual([done.body.serial, done.body.serial])
  expect((await complete(chain.leaf + chain.authority)).status).toBe(409)
})

/** A CA of this test, and what it makes of a CSR (PEM). */
async function signed(csr: string): Promise<{ readonly leaf: string; readonly authority: string }> {
  const [request] = readPem(csr)
  const now = Date.now()
  const times = { notBefore: now - 60_000, notAfter: now + 90 * 86_400_000 }
  const key = await generateKey({ kty: 'EC', curve: 'P-256' })
  const ca = await authority(key, 'CN=Outside CA', { ...times, serial: '0a' })
  const leaf = await signRequest(request?.base64 ?? '', ca, { ...times, serial: '0b' })
  return { leaf: pem('CERTIFICATE', leaf), authority: pem('CERTIFICATE', ca.der) }
}
