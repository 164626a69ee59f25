import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { publicKeyOfRequest } from '../../../src/certificates/certificate-request.ts'
import { type CheckInput, checkCandidate } from '../../../src/certificates/check-candidate.ts'
import { uncoveredHosts } from '../../../src/certificates/issue-policy.ts'
import { chainRefusal, readChain } from '../../../src/certificates/pem-chain.ts'
import type { VaultVersion } from '../../../src/ports/vault.ts'
import { generateKey, publicDer } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import {
  authority,
  certificateRequest,
  selfSigned,
  signRequest,
} from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { MemoryVault, publicParts } from '../fakes/memory-vault.ts'
import { certificate, DAY, START } from './world.ts'

let version: VaultVersion
beforeAll(async () => {
  version = await new MemoryVault(() => START).addVersion('web', { dnsNames: ['web.example.com'] })
})

const reasonOf = (change: Partial<CheckInput> = {}) =>
  checkCandidate({ spec: certificate(), version, served: [], now: START + DAY, ...change })?.reason

describe('a version', () => {
  it('that is what is wanted passes', () => expect(reasonOf()).toBeUndefined())

  it('is refused when it is disabled, unreadable, or another than the vault says', () => {
    expect(reasonOf({ version: { ...version, enabled: false } })).toBe('VersionDisabled')
    expect(reasonOf({ version: { ...version, pem: 'none' } })).toBe('CertificateUnreadable')
    expect(reasonOf({ version: { ...version, serial: 'ff' } })).toBe('SerialMismatch')
  })

  it('is refused before its time and after it', () => {
    expect(reasonOf({ now: START - DAY })).toBe('NotYetValid')
    expect(reasonOf({ now: START - 60_000 })).toBeUndefined()
    expect(reasonOf({ now: START + 90 * DAY })).toBe('Ended')
  })

  it('is refused when it does not serve every host', () => {
    expect(reasonOf({ spec: certificate({ dnsNames: ['web.example.com', 'b.example.com'] }) })).toBe('HostsMissing')
  })

  it('is refused when it serves hosts of another team', () => {
    expect(reasonOf({ teamHosts: ['*.example.com'] })).toBeUndefined()
    expect(reasonOf({ teamHosts: ['shop.example.com'] })).toBe('HostsOfOthers')
    expect(reasonOf({ teamHosts: [] })).toBe('HostsOfOthers')
  })

  it('is refused when it ends before one that is served', () => {
    const later = { ...version, version: 'other', notAfter: new Date(START + 91 * DAY).toISOString() }
    expect(reasonOf({ served: [later] })).toBe('EndsEarlier')
    expect(reasonOf({ served: [{ ...later, notAfter: version.notAfter }] })).toBeUndefined()
  })

  it('is refused when its key is weak', async () => {
    const key = await generateKey({ kty: 'RSA', size: 1024 } as never)
    const content = { subject: 'CN=web.example.com', names: { dnsNames: ['web.example.com'] }, ekus: [], keyUsage: [] }
    const times = { notBefore: START, notAfter: START + 90 * DAY, serial: '7b' }
    const weak = publicParts(pem('CERTIFICATE', await selfSigned(key, content, times)))
    expect(reasonOf({ version: { ...version, ...weak } })).toBe('KeyTooWeak')
  })
})

describe('hosts', () => {
  it.each([
    [['web.example.com'], ['web.example.com'], []],
    [['web.example.com'], ['WEB.example.com'], []],
    [['web.example.com'], ['*.example.com'], []],
    [['a.b.example.com'], ['*.example.com'], ['a.b.example.com']],
    [['example.com'], ['*.example.com'], ['example.com']],
    [['*.example.com'], ['*.example.com'], []],
    [['*.example.com'], ['web.example.com'], ['*.example.com']],
    [['*.b.example.com'], ['*.example.com'], ['*.b.example.com']],
  ])('%j under %j leave %j', (hosts, names, left) => expect(uncoveredHosts(hosts, names)).toEqual(left))
})

describe('a chain', () => {
  const times = { notBefore: START, notAfter: START + 90 * DAY }
  const content = { subject: 'CN=web', names: { dnsNames: ['web.example.com'] }, ekus: [], keyUsage: [] }
  const make = async () => {
    const [caKey, leafKey] = await Promise.all([
      generateKey({ kty: 'EC', curve: 'P-256' }),
      generateKey({ kty: 'EC', curve: 'P-256' }),
    ])
    const ca = await authority(caKey, 'CN=Root', { ...times, serial: '01' })
    const csr = await certificateRequest(leafKey, content)
    const leaf = await signRequest(csr, ca, { ...times, serial: '02' })
    return {
      leaf: pem('CERTIFICATE', leaf),
      root: pem('CERTIFICATE', ca.der),
      csr: pem('CERTIFICATE REQUEST', csr),
      leafKey,
    }
  }
  const refusalOf = (text: string, now = START + DAY) => {
    const chain = readChain(text)
    if (!chain.ok) throw new Error(chain.why)
    return chainRefusal(chain.value, now)?.reason
  }

  it('goes from the leaf up, each signed by the next', async () => {
    const [{ leaf, root }, other] = [await make(), await make()]
    expect(refusalOf(leaf + root)).toBeUndefined()
    expect(refusalOf(leaf)).toBeUndefined()
    expect(refusalOf(root + leaf)).toBe('ChainBroken')
    expect(refusalOf(leaf + other.root)).toBe('ChainBroken')
    expect(refusalOf(leaf + other.leaf)).toBe('ChainBroken')
    expect(refusalOf(leaf + root, START + 91 * DAY)).toBe('ChainEnded')
  })

  it('holds certificates and nothing else', async () => {
    const { leaf, csr } = await make()
    expect(readChain('')).toMatchObject({ ok: false, why: expect.stringMatching(/no certificate/) })
    expect(readChain(leaf + pem('PRIVATE KEY', 'AAAA'))).toMatchObject({
      ok: false,
      why: expect.stringMatching(/private key/),
    })
    expect(readChain(leaf + csr)).toMatchObject({ ok: false })
    expect(readChain(leaf.repeat(11))).toMatchObject({ ok: false })
    expect(readChain(pem('CERTIFICATE', 'AAAA'))).toMatchObject({ ok: false })
  })

  it('belongs to the key of the CSR that it was made of', async () => {
    const { leaf, csr, leafKey } = await make()
    const key = publicKeyOfRequest(csr)
    expect(key?.equals(publicDer(leafKey))).toBe(true)
    expect(key?.equals(new X509Certificate(leaf).publicKey.export({ type: 'spki', format: 'der' }))).toBe(true)
    expect(publicKeyOfRequest((await make()).csr)?.equals(publicDer(leafKey))).toBe(false)
  })

  it('no text that is no CSR has a key', () => {
    for (const text of [
      '',
      'x',
      pem('CERTIFICATE REQUEST', ''),
      pem('CERTIFICATE REQUEST', 'MIIB'),
      pem('CERTIFICATE REQUEST', 'MIQ='),
    ]) {
      expect(publicKeyOfRequest(text)).toBeUndefined()
    }
  })

  it('of a key of any kind is read', async () => {
    for (const kind of [
      { kty: 'RSA', size: 2048 },
      { kty: 'EC', curve: 'P-384' },
    ] as const) {
      const key = await generateKey(kind)
      expect(
        publicKeyOfRequest(pem('CERTIFICATE REQUEST', await certificateRequest(key, content)))?.equals(publicDer(key)),
      ).toBe(true)
    }
  })
})
