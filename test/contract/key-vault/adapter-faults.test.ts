import { beforeEach, describe, expect, it } from 'vitest'
import type { PortError } from '../../../src/ports/port-error.ts'
import type { Vault, VaultPolicy } from '../../../src/ports/vault.ts'
import { jsonResponse } from '../../../src/sandbox/emulators/emulator.ts'
import { bodyText, ConnectionError } from '../../../src/sandbox/transports/wire.ts'
import { settle } from '../../unit/adapters/virtual-clock.ts'
import { type EmulatedVault, emulatedVault, VAULT_URL } from './emulated-vault.ts'
import { everythingIn, secretMarks } from './leaks.ts'

const POLICY: VaultPolicy = {
  issuer: { kind: 'self' },
  dnsNames: ['shop.example.com'],
  validityMonths: 3,
  key: { type: 'RSA', size: 2048 },
}

describe('Key Vault by its adapter', () => {
  let emulated: EmulatedVault
  let vault: Vault
  beforeEach(async () => {
    emulated = await emulatedVault()
    vault = emulated.vaults.open(VAULT_URL)
  })

  const failure = (call: Promise<unknown>): Promise<PortError> =>
    call.then(
      () => expect.fail('it did not fail'),
      (error: PortError) => error,
    )

  it.each([
    'http://shop.vault.azure.net',
    'https://shop.vault.azure.net:8443',
    'https://user:password@shop.vault.azure.net',
    'https://shop.vault.azure.net.example.com',
    'https://example.com/shop.vault.azure.net',
    'https://vault.azure.net',
    'https://a.b.vault.azure.net',
    'https://shop.vault.azure.net/secrets',
    'https://shop.vault.azure.net?x=1',
    'https://shop.vault.azure.net#x',
    'https://shop.vault.azure.cn',
    'shop',
  ])('calls no other host than a vault: %s', (url) => {
    expect(() => emulated.vaults.open(url)).toThrow(
      expect.objectContaining({ kind: 'denied', reason: 'AddressRefused' }),
    )
    expect(emulated.exchanges).toEqual([])
  })

  it('has the vault made by its bare address, with a slash at the end or not', () => {
    expect(emulated.vaults.open(`${VAULT_URL}/`)).toBe(vault)
  })

  it('asks for the creation, and then no more', async () => {
    await vault.create('shop', POLICY, { rotation: 'r1' })
    await settle()
    await emulated.pass(60_000)
    expect(emulated.exchanges.map(({ line, response }) => `${line} ${response.status}`)).toEqual([
      'POST /certificates/shop/create 401',
      'POST /certificates/shop/create 202',
    ])
  })

  it('never lets the vault renew by itself, and wants PEM with a new key', async () => {
    await vault.create('shop', POLICY, { rotation: 'r1' })
    const sent = JSON.parse(new TextDecoder().decode(emulated.exchanges[1]?.request.body))
    expect(sent).toMatchObject({
      tags: { rotation: 'r1' },
      policy: {
        issuer: { name: 'Self' },
        key_props: { exportable: true, kty: 'RSA', key_size: 2048, reuse_key: false },
        secret_props: { contentType: 'application/x-pem-file' },
        x509_props: { subject: 'CN=shop.example.com', sans: { dns_names: ['shop.example.com'] }, validity_months: 3 },
      },
    })
    const actions = sent.policy.lifetime_actions.map(
      (one: { action: { action_type: string } }) => one.action.action_type,
    )
    expect(actions).toEqual(['EmailContacts'])
  })

  it('leaves out a common name that is too long for X.509', async () => {
    const long = `${'a'.repeat(60)}.example.com`
    await vault.create('shop', { ...POLICY, dnsNames: [long] }, {})
    await emulated.pass(2000)
    expect((await vault.version('shop'))?.dnsNames).toEqual([long])
  })

  it('is used by many at once from the first call on, each with its own body', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `shop-${at}`)
    const calls = names.map((name, at) =>
      vault.create(name, { ...POLICY, dnsNames: [`${name}.example.com`] }, { at: `${at}` }),
    )
    await Promise.all([vault.version('none'), ...calls, vault.secret('none').catch(() => {})])
    await emulated.pass(2000)
    for (const [at, name] of names.entries())
      expect(await vault.version(name)).toMatchObject({ dnsNames: [`${name}.example.com`], tags: { at: `${at}` } })
  })

  it('goes on after a first call that nobody answered', async () => {
    emulated.wire = () => new Promise(() => {})
    const first = failure(vault.create('first', POLICY, {}))
    await emulated.pass(10_001)
    expect(await first).toMatchObject({ reason: 'Timeout' })
    emulated.wire = (_, deliver) => deliver()
    expect(await vault.version('shop')).toBeUndefined()
    await vault.create('shop', POLICY, { rotation: 'r2' })
    await emulated.pass(2000)
    expect(await vault.version('shop')).toMatchObject({ tags: { rotation: 'r2' } })
    expect(await vault.operation('first')).toBeUndefined()
  })

  it('does not know whether it created when the answer is lost, and never asks again by itself', async () => {
    let sent = 0
    emulated.wire = async (request, deliver) => {
      const answer = await deliver()
      if (request.headers.authorization === undefined) return answer
      sent += 1
      throw new ConnectionError('ECONNRESET')
    }
    expect(await failure(vault.create('shop', POLICY, {}))).toMatchObject({
      kind: 'unavailable',
      reason: 'ConnectionLost',
    })
    expect(sent).toBe(1)
  })

  it.each([
    [400, 'BadParameter', { kind: 'invalid', reason: 'BadParameter' }],
    [403, 'Forbidden', { kind: 'denied', reason: 'Forbidden' }],
    [404, 'SecretNotFound', { kind: 'not-found', reason: 'SecretNotFound' }],
    [429, 'Throttled', { kind: 'throttled', retryAfterMs: 7000 }],
    [500, 'InternalServerError', { kind: 'unavailable' }],
    [503, 'ServiceUnavailable', { kind: 'unavailable', retryAfterMs: 7000 }],
  ])('tells a %d (%s) as what it is', async (status, code, expected) => {
    emulated.wire = async (request, deliver) =>
      request.headers.authorization === undefined
        ? deliver()
        : jsonResponse(status, { error: { code, message: 'words of the vault' } }, { 'retry-after': '7' })
    const error = await failure(vault.secret('shop'))
    expect(error).toMatchObject({ name: 'PortError', ...expected })
    expect(error.message.includes('words of the vault')).toBe(status === 400)
  })

  it.each([
    ['ENOTFOUND', 'NameLookup'],
    ['ECONNREFUSED', 'ConnectionRefused'],
  ])('tells %s apart', async (code, reason) => {
    emulated.wire = async () => {
      throw new ConnectionError(code)
    }
    expect(await failure(vault.version('shop'))).toMatchObject({ kind: 'unavailable', reason })
  })

  it('gives up after ten seconds', async () => {
    emulated.wire = () => new Promise(() => {})
    const call = failure(vault.version('shop'))
    await emulated.pass(10_001)
    expect(await call).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
  })

  it('gives no token to a vault that asks for one of another service', async () => {
    emulated.wire = async (_, deliver) => {
      const answer = await deliver()
      const challenge =
        'Bearer authorization="https://login.microsoftonline.com/t", resource="https://graph.example.com"'
      return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } }
    }
    expect(await failure(vault.version('shop'))).toMatchObject({ kind: 'denied', reason: 'WrongChallenge' })
    expect(emulated.credential.scopes).toEqual([])
  })

  it('tells of no token', async () => {
    emulated.credential.getToken = async () => {
      throw Object.assign(new Error('secret words'), { name: 'CredentialUnavailableError' })
    }
    const error = await failure(vault.version('shop'))
    expect(error).toMatchObject({ kind: 'denied', reason: 'TokenRefused' })
    expect(error.message).not.toContain('secret words')
  })

  it('tells of a certificate that cannot be read', async () => {
    await vault.create('shop', POLICY, {})
    await emulated.pass(2000)
    emulated.wire = async (_, deliver) => {
      const answer = await deliver()
      return { ...answer, body: bodyText(answer).replace(/"cer":"[^"]{20}/, '"cer":"AAAA') }
    }
    expect(await failure(vault.version('shop'))).toMatchObject({ kind: 'unavailable', reason: 'BrokenCertificate' })
  })

  it('refuses a chain without a certificate before it asks', async () => {
    expect(await failure(vault.merge('shop', 'no PEM'))).toMatchObject({ kind: 'invalid', reason: 'NoCertificate' })
    expect(emulated.exchanges).toEqual([])
  })
})

describe('the private key', () => {
  it('is in the answers of secrets and nowhere else, byte by byte; no token is in an error', async () => {
    const emulated = await emulatedVault({ refusal: (name) => (name === 'refused' ? 'no' : undefined) })
    const vault = emulated.vaults.open(VAULT_URL)
    emulated.credential.token = 'good'
    for (const name of ['shop', 'refused']) await vault.create(name, POLICY, { rotation: 'r1' })
    await emulated.pass(2000)
    const { value } = await vault.secret('shop')
    const errors: unknown[] = []
    const keep = (error: unknown) => errors.push(error)
    await vault.create('refused', POLICY, {}).catch(keep)
    await vault.create('refused', POLICY, {}).catch(keep)
    await vault.merge('shop', value).catch(keep)
    await vault.merge('refused', value).catch(keep)
    await vault.secret('none').catch(keep)
    for await (const _ of vault.list()) await vault.versions('shop')
    emulated.credential.token = 'a token for another service'
    await emulatedVault().then((other) => other.vaults.open(VAULT_URL).secret('shop').catch(keep))
    await emulated.vaults.open('https://other.vault.azure.net').secret('shop').catch(keep)
    expect(errors.length).toBeGreaterThanOrEqual(5)

    const marks = secretMarks(value)
    const leaks = (text: string) => marks.some((mark) => text.includes(mark))
    expect(emulated.exchanges.filter(({ answer }) => leaks(answer)).map(({ line }) => line)).toEqual([
      'GET /secrets/shop/',
    ])
    const told = [...errors.map(everythingIn), JSON.stringify(emulated.events)]
    expect(told.filter((text) => leaks(text) || /Bearer|a token for/.test(text))).toEqual([])
    expect(leaks(value)).toBe(true)
  })
})
