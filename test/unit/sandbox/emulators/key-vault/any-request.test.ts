import fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyVaultEmulator } from '../../../../../src/sandbox/emulators/key-vault/key-vault.ts'
import { keyPool } from '../../../../../src/sandbox/emulators/key-vault/keys.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'

const segment = fc.oneof(
  fc.constantFrom(
    'certificates',
    'secrets',
    'keys',
    'deletedkeys',
    'sign',
    'deletedcertificates',
    'a',
    'b',
    'create',
    'import',
    'pending',
    'merge',
    'policy',
    'versions',
    'recover',
  ),
  fc.string({ maxLength: 5 }),
)
const CALLS = [
  'POST certificates a create',
  'POST certificates b create',
  'POST certificates a import',
  'POST certificates a pending merge',
  'PATCH certificates a pending',
  'DELETE certificates a pending',
  'PATCH certificates a policy',
  'GET certificates a',
  'GET secrets a',
  'POST keys d create',
  'POST keys e create',
  'GET keys d',
  'GET keys d versions',
  'PATCH keys d',
  'POST keys d sign',
  'DELETE keys e',
  'POST deletedkeys e recover',
  'PUT secrets c',
  'DELETE certificates a',
  'DELETE deletedcertificates a',
]
const known = fc.constantFrom(...CALLS).map((line) => line.split(' '))
const policy = fc.record(
  {
    issuer: fc.record({ name: fc.constantFrom('Self', 'Unknown', 'DigiCert', 'None') }),
    key_props: fc.record({ kty: fc.constantFrom('EC', 'RSA', 'oct'), crv: fc.constantFrom('P-256', 'P-1', null) }),
    secret_props: fc.record({ contentType: fc.constantFrom('application/x-pem-file', 'text/plain') }),
    x509_props: fc.record(
      {
        subject: fc.oneof(fc.constantFrom('CN=a', 'CN=a,O', '', 'a'), fc.string()),
        sans: fc.record({ dns_names: fc.array(fc.string()), ipAddresses: fc.array(fc.constantFrom('1.2.3.4', 'x')) }),
        validity_months: fc.integer(),
      },
      { requiredKeys: [] },
    ),
    lifetime_actions: fc.array(fc.object()),
  },
  { requiredKeys: [] },
)
const likely = fc.record({
  issuer: fc.record({ name: fc.constantFrom('Self', 'Unknown', 'DigiCert') }),
  key_props: fc.record({ kty: fc.constant('EC'), crv: fc.constant('P-256') }),
  x509_props: fc.record({
    subject: fc.constantFrom('CN=a', 'CN=a, O=b', 'CN=a,O', 'CN="'),
    sans: fc.record({ dns_names: fc.array(fc.oneof(fc.constant('a.example.com'), fc.string())) }),
  }),
})
const body = fc.oneof(
  fc.record({ policy: likely }),
  fc.record({ policy: likely }),
  fc.record({ policy }),
  fc.record({ value: fc.string(), policy }),
  fc.record({
    kty: fc.constantFrom('EC', 'EC-HSM', 'RSA', 'oct'),
    crv: fc.constantFrom('P-256', 'P-384', 'P-1', null),
    key_ops: fc.array(fc.constantFrom('sign', 'verify', 'encrypt', 'x')),
    alg: fc.constantFrom('ES256', 'ES384', 'RS256', 'x'),
    value: fc.oneof(fc.constant('A'.repeat(43)), fc.string()),
  }),
  fc.record({ x5c: fc.array(fc.oneof(fc.base64String(), fc.string())) }),
  fc.jsonValue(),
)

it('answers any request with what the service could answer, and never falls', async () => {
  const makeKey = await keyPool(
    [
      { kty: 'EC', curve: 'P-256' },
      { kty: 'RSA', size: 2048 },
    ],
    1,
  )
  let now = Date.UTC(2030, 0, 1)
  const emulator = keyVaultEmulator(
    { now: () => now, random: Math.random, storage: memoryStorage() },
    {
      tenantId: 't',
      checkToken: async () => true,
      makeKey,
      limits: { creations: 1e9, hsmCreations: 1e9, secretCreations: 1e9, hsm: 1e9, others: 1e9 },
    },
  )
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
  const other = fc.tuple(method, fc.array(segment, { maxLength: 4 })).map(([verb, path]) => [verb, ...path])
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.oneof(known, known, other), body, async ([method = '', ...path], json) => {
      now += 700
      const url = new URL('https://a.vault.azure.net/')
      url.pathname = path.map(encodeURIComponent).join('/')
      url.search = '?api-version=7.4'
      const headers = { authorization: 'Bearer x' }
      const answer = await emulator.handle({ method, url, headers, body: Buffer.from(JSON.stringify(json)) })
      await emulator.advance()
      expect(answer.status).toBeGreaterThanOrEqual(200)
      if (answer.status >= 400)
        expect(JSON.parse(String(answer.body))).toEqual({
          error: expect.objectContaining({ code: expect.any(String), message: expect.any(String) }),
        })
      expect(answer.status).toBeLessThan(502)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
    }),
    { numRuns: 900 },
  )
  // The requests are not all turned away at the door.
  for (const status of [200, 202, 400, 404, 409]) expect(seen.get(status) ?? 0, `${status}`).toBeGreaterThan(0)
})
