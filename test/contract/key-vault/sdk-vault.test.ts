import { beforeEach, describe, expect, it } from 'vitest'
import { jsonResponse } from '../../../src/sandbox/emulators/emulator.ts'
import { type EmulatedVault, emulatedVault, TENANT, VAULT_URL } from './emulated-vault.ts'

const SELF = { issuerName: 'Self', subject: 'CN=shop.example.com', contentType: 'application/x-pem-file' as const }

describe('access to the emulated Key Vault', () => {
  let vault: EmulatedVault
  beforeEach(async () => {
    vault = await emulatedVault()
  })

  it('is by challenge: the first call says who gives tokens and for what, and carries no body', async () => {
    await vault.certificates.beginCreateCertificate('shop', SELF)
    const [first, second, third] = vault.exchanges
    expect(first?.response.status).toBe(401)
    expect(first?.request.body).toHaveLength(0)
    expect(first?.response.headers['www-authenticate']).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="https://vault.azure.net"`,
    )
    expect(vault.credential.scopes).toEqual(['https://vault.azure.net/.default'])
    expect([second?.response.status, third?.response.status]).toEqual([202, 200])
    expect(second?.response.headers.location).toMatch(/\/certificates\/shop\/pending\?.*request_id=[0-9a-f]{32}$/)
    await vault.certificates.getCertificate('shop')
    expect(vault.exchanges.filter(({ response }) => response.status === 401)).toHaveLength(1)
  })

  it('is refused with a token for something else', async () => {
    vault.credential.token = 'for another service'
    await expect(vault.certificates.getCertificate('shop')).rejects.toMatchObject({ statusCode: 401 })
    await expect(vault.vaults.open(VAULT_URL).version('shop')).rejects.toMatchObject({
      kind: 'denied',
      reason: 'Unauthorized',
    })
  })

  it('names a version of the API that is known', async () => {
    const ask = (query: string) =>
      vault.emulator.handle({
        method: 'GET',
        url: new URL(`${VAULT_URL}/certificates${query}`),
        headers: { authorization: 'Bearer good' },
        body: new Uint8Array(),
      })
    expect(await ask('')).toMatchObject({ status: 400, body: expect.stringContaining('api-version') })
    expect(await ask('?api-version=1999-01-01')).toMatchObject({ status: 400 })
    expect(await ask('?api-version=7.4')).toMatchObject({ status: 200 })
    expect(await ask('?api-version=7.4&maxresults=26')).toMatchObject({ status: 400 })
  })

  it('slows down who creates too fast, and lets them on after the time that it names', async () => {
    for (let at = 0; at < 20; at += 1) await vault.certificates.beginCreateCertificate(`shop-${at}`, SELF)
    const failure = await vault.certificates.beginCreateCertificate('late', SELF).catch((error: unknown) => error)
    expect(failure).toMatchObject({ statusCode: 429, code: 'Throttled' })
    const told = vault.exchanges.at(-1)?.response.headers['retry-after']
    expect(Number(told)).toBeGreaterThan(0)
    await vault.certificates.getCertificate('shop-1')
    await vault.pass(Number(told) * 1000)
    await vault.certificates.beginCreateCertificate('late', SELF)
  })

  it('answers the SDK that tries again', async () => {
    const patient = new (await import('@azure/keyvault-certificates')).CertificateClient(VAULT_URL, vault.credential, {
      httpClient: await transportOf(vault),
      retryOptions: { maxRetries: 1 },
    })
    let turned = 0
    vault.wire = async (request, deliver) => {
      if (request.headers.authorization === undefined || turned > 0) return deliver()
      turned += 1
      return jsonResponse(429, { error: { code: 'Throttled', message: 'slow' } }, { 'retry-after': '0' })
    }
    expect(await (await patient.beginCreateCertificate('shop', SELF)).isDone()).toBe(false)
    expect(turned).toBe(1)
  })

  it('gives pages of 25, and none twice when something is added meanwhile', async () => {
    const many = await emulatedVault({ limits: { creations: 1000, others: 1000 } })
    for (let at = 10; at < 65; at += 1) await many.certificates.beginCreateCertificate(`shop-${at}`, SELF)
    await many.pass(2000)
    const seen: string[][] = []
    for await (const page of many.certificates.listPropertiesOfCertificates().byPage()) {
      seen.push(page.map(({ name = '' }) => name))
      if (seen.length === 1) await many.certificates.beginCreateCertificate('shop-00', SELF)
    }
    expect(seen.map(({ length }) => length)).toEqual([25, 25, 5])
    expect(new Set(seen.flat()).size).toBe(55)
  })
})

describe('the SDK of secrets on the emulated Key Vault', () => {
  let vault: EmulatedVault
  beforeEach(async () => {
    vault = await emulatedVault()
  })

  it('keeps versions, of up to 25 KB', async () => {
    const first = await vault.secrets.setSecret('webhook', 'one', { contentType: 'text/plain', tags: { a: '1' } })
    await vault.secrets.setSecret('webhook', 'x'.repeat(25_600))
    expect((await vault.secrets.getSecret('webhook')).value).toHaveLength(25_600)
    const { version = '' } = first.properties
    expect(await vault.secrets.getSecret('webhook', { version })).toMatchObject({
      value: 'one',
      properties: { contentType: 'text/plain', tags: { a: '1' } },
    })
    await expect(vault.secrets.setSecret('webhook', 'x'.repeat(25_601))).rejects.toMatchObject({ statusCode: 400 })
    expect(await namesOf(vault.secrets.listPropertiesOfSecretVersions('webhook'))).toHaveLength(2)
    await vault.secrets.updateSecretProperties('webhook', version, { enabled: false })
    await expect(vault.secrets.getSecret('webhook', { version })).rejects.toMatchObject({ statusCode: 403 })
  })

  it('leaves the secrets of certificates to their certificates', async () => {
    await vault.certificates.beginCreateCertificate('shop', SELF)
    await vault.pass(2000)
    await vault.secrets.setSecret('webhook', 'one')
    expect(await namesOf(vault.secrets.listPropertiesOfSecrets())).toEqual(['shop', 'webhook'])
    await expect(vault.secrets.setSecret('shop', 'mine')).rejects.toMatchObject({ statusCode: 409 })
    await expect(vault.secrets.beginDeleteSecret('shop')).rejects.toMatchObject({ statusCode: 403 })
    await expect(vault.certificates.beginCreateCertificate('webhook', SELF)).rejects.toMatchObject({ statusCode: 409 })
    await expect(vault.vaults.open(VAULT_URL).create('webhook', POLICY, {})).rejects.toMatchObject({
      kind: 'conflict',
      reason: 'NameTaken',
    })
  })

  it('keeps what is deleted under its name until it is purged', async () => {
    await vault.secrets.setSecret('webhook', 'one')
    await (await vault.secrets.beginDeleteSecret('webhook')).pollUntilDone()
    await expect(vault.secrets.getSecret('webhook')).rejects.toMatchObject({ statusCode: 404 })
    await expect(vault.secrets.setSecret('webhook', 'two')).rejects.toMatchObject({ statusCode: 409 })
    await (await vault.secrets.beginRecoverDeletedSecret('webhook')).pollUntilDone()
    expect((await vault.secrets.getSecret('webhook')).value).toBe('one')
    await (await vault.secrets.beginDeleteSecret('webhook')).pollUntilDone()
    await vault.secrets.purgeDeletedSecret('webhook')
    expect((await vault.secrets.setSecret('webhook', 'two')).value).toBe('two')
  })
})

const POLICY = {
  issuer: { kind: 'self' as const },
  dnsNames: ['shop.example.com'],
  validityMonths: 3,
  key: { type: 'EC' as const, curve: 'P-256' as const },
}

async function namesOf(list: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  const found = []
  for await (const { name } of list) found.push(name)
  return found
}

async function transportOf(vault: EmulatedVault) {
  const { pipelineTransport } = await import('../../../src/sandbox/transports/pipeline-transport.ts')
  return pipelineTransport((request) => vault.wire(request, () => vault.emulator.handle(request)))
}
