import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { certificateParts, certificatesOf } from '../../../../src/adapters/key-vault/certificate-parts.ts'
import { generateKey } from '../../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../../src/sandbox/emulators/key-vault/pem.ts'
import { type AlternativeNames, authority, selfSigned } from '../../../../src/sandbox/emulators/key-vault/x509.ts'

const FROM = Date.UTC(2030, 0, 1)
const validity = { notBefore: FROM, notAfter: FROM + 1000, serial: '0001ab' }
const key = await generateKey({ kty: 'EC', curve: 'P-256' })

async function parts(names: AlternativeNames, serial = '0001ab') {
  const content = { subject: 'CN=a.example.com', names, ekus: [], keyUsage: [] }
  return certificateParts(Buffer.from(await selfSigned(key, content, { ...validity, serial }), 'base64'))
}

describe('the parts of a certificate', () => {
  it('are what it says itself', async () => {
    const found = await parts({ dnsNames: ['a.example.com', '*.b.example.com'], ipAddresses: ['10.0.0.1'] })
    expect(found).toMatchObject({
      serial: '1ab',
      notBefore: '2030-01-01T00:00:00.000Z',
      notAfter: '2030-01-01T00:00:01.000Z',
      dnsNames: ['a.example.com', '*.b.example.com'],
      issuer: 'CN=a.example.com',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      pem: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n[\s\S]*\n-----END CERTIFICATE-----\n$/),
    })
  })

  it('have no DNS name out of another kind of name, whatever stands in it', async () => {
    for (const text of ['https://a/, DNS:evil.example.com', 'https://a/",DNS:evil.example.com', 'x:\\", DNS:evil'])
      expect((await parts({ uris: [text], dnsNames: ['a.example.com'] })).dnsNames).toEqual(['a.example.com'])
    expect((await parts({})).dnsNames).toEqual([])
  })

  it('have a serial without zeros in front, whatever its length', async () => {
    const hex = fc.stringMatching(/^0{0,4}[1-7][0-9a-f]{1,30}$/)
    await fc.assert(
      fc.asyncProperty(hex, async (text) => {
        const even = text.length % 2 === 0 ? text : `0${text}`
        expect((await parts({}, even)).serial).toBe(BigInt(`0x${text}`).toString(16))
      }),
      { numRuns: 25 },
    )
  })

  it('are not made of what is no certificate', () => {
    expect(() => certificateParts(Buffer.from('none'))).toThrow()
  })
})

it('a chain is its certificates in order, and nothing else of the text', async () => {
  const der = (await authority(key, 'CN=CA', validity)).der
  const text = `Bag Attributes\n${pem('PRIVATE KEY', key.pkcs8)}${pem('CERTIFICATE', der)}junk${pem('CERTIFICATE', 'AAAA')}`
  expect(certificatesOf(text).map((one) => Buffer.from(one).toString('base64'))).toEqual([der, 'AAAA'])
  expect(certificatesOf('')).toEqual([])
})
