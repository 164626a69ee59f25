import { AzureLogger, setLogLevel } from '@azure/logger'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyVaults } from '../../../src/adapters/key-vault/key-vaults.ts'
import { tracedAzure } from '../../../src/adapters/traced-http.ts'
import { makeCaKey } from '../../../src/authority/ca-key.ts'
import type { PortError } from '../../../src/ports/port-error.ts'
import type { Telemetry } from '../../../src/ports/telemetry.ts'
import { jsonResponse } from '../../../src/sandbox/emulators/emulator.ts'
import type { StoredKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { ConnectionError } from '../../../src/sandbox/transports/wire.ts'
import { type EmulatedVault, emulatedVault, VAULT_URL } from './emulated-vault.ts'
import { ecMarks, everythingIn } from './leaks.ts'

const BYTES = Buffer.from('what is to be signed')
const POLICY = { hsm: true, tags: { rotation: 'r1' } }
const JWK = { kty: 'EC', crv: 'P-384', x: '', y: '' } as const

const failure = (call: Promise<unknown>): Promise<PortError> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: PortError) => error,
  )

describe('keys and secrets by their adapter', () => {
  let emulated: EmulatedVault
  const keys = () => emulated.vaults.keys(VAULT_URL)
  const secrets = () => emulated.vaults.secrets(VAULT_URL)
  beforeEach(async () => {
    emulated = await emulatedVault()
  })

  it('call no other host than a vault', () => {
    for (const url of ['https://shop.vault.azure.net.example.com', 'http://shop.vault.azure.net', 'shop'])
      for (const open of [emulated.vaults.keys, emulated.vaults.secrets])
        expect(() => open(url)).toThrow(expect.objectContaining({ kind: 'denied', reason: 'AddressRefused' }))
    expect(keys()).toBe(emulated.vaults.keys(`${VAULT_URL}/`))
  })

  it.each([
    'https://other.vault.azure.net/keys/mesh-root/VERSION',
    'https://step.vault.azure.net/keys/mesh-root/VERSION',
    'https://shop.vault.azure.net.example.com/keys/mesh-root/VERSION',
    'https://shop.vault.azure.net/keys/mesh-root',
    'https://shop.vault.azure.net/keys/mesh-root/VERSION/x',
    'https://shop.vault.azure.net/keys/../secrets/VERSION',
    'https://shop.vault.azure.net/secrets/mesh-root/VERSION',
    'https://shop.vault.azure.net:8443/keys/mesh-root/VERSION',
    '/keys/mesh-root/VERSION',
    '',
  ])('sign by no id but that of a version of the vault’s own keys: %s', async (id) => {
    const error = await failure(keys().sign({ id: id.replace('VERSION', 'a'.repeat(32)), jwk: JWK }, BYTES))
    expect(error).toMatchObject({ kind: 'invalid', reason: 'KeyId' })
    expect(emulated.exchanges).toEqual([])
  })

  it('ask for a key that signs and does nothing else, and send a digest only', async () => {
    const made = await keys().createKey('mesh-root', POLICY)
    const { version } = made
    await keys().sign(made, BYTES)
    const lines = emulated.exchanges.map(({ line, response }) => `${line} ${response.status}`)
    expect(lines).toEqual([
      'POST /keys/mesh-root/create 401',
      'POST /keys/mesh-root/create 200',
      `GET /keys/mesh-root/${version} 200`,
      `POST /keys/mesh-root/${version}/sign 200`,
    ])
    const bodyAt = (at: number) => JSON.parse(new TextDecoder().decode(emulated.exchanges[at]?.request.body))
    expect(bodyAt(1)).toMatchObject({
      kty: 'EC-HSM',
      crv: 'P-384',
      key_ops: ['sign', 'verify'],
      tags: { rotation: 'r1' },
    })
    expect(bodyAt(3)).toEqual({ alg: 'ES384', value: expect.stringMatching(/^[\w-]{64}$/) })
    expect(new Set(emulated.credential.scopes)).toEqual(new Set(['https://vault.azure.net/.default']))
  })

  it('tell a vault without hardware from one that does not let us in', async () => {
    const standard = await emulatedVault({ isPremium: () => false })
    const on = standard.vaults.keys(VAULT_URL)
    expect(await failure(on.createKey('mesh-root', POLICY))).toMatchObject({ kind: 'denied', reason: 'HsmNotInTier' })
    expect(await on.createKey('mesh-root', { hsm: false, tags: {} })).toMatchObject({ hsm: false })
    standard.wire = async (request, deliver) =>
      request.headers.authorization === undefined
        ? deliver()
        : jsonResponse(403, {
            error: { code: 'Forbidden', message: 'Caller is not authorized', innererror: { code: 'ForbiddenByRbac' } },
          })
    expect(await failure(on.createKey('mesh-root', POLICY))).toMatchObject({
      kind: 'denied',
      reason: 'ForbiddenByRbac',
    })
  })

  it('tell a key that may not sign, and one that signs no certificates', async () => {
    const made = await keys().createKey('mesh-root', POLICY)
    const { version } = made
    await emulated.keys.updateKeyProperties('mesh-root', version, { enabled: false })
    expect(await failure(keys().sign(made, BYTES))).toMatchObject({ kind: 'denied', reason: 'KeyDisabled' })
    await emulated.keys.updateKeyProperties('mesh-root', version, { enabled: true, keyOps: ['verify'] })
    expect(await failure(keys().sign(made, BYTES))).toMatchObject({ kind: 'denied', reason: 'KeyUnusable' })
    await emulated.keys.createEcKey('wide', { curve: 'P-521' })
    expect(await failure(keys().key('wide'))).toMatchObject({ kind: 'invalid', reason: 'KeyKind' })
    await emulated.keys.createRsaKey('other')
    expect(await failure(keys().key('other'))).toMatchObject({ kind: 'invalid', reason: 'KeyKind' })
  })

  it('do not know what became of a call whose answer is lost, and find it by its tags', async () => {
    emulated.wire = async (request, deliver) => {
      const answer = await deliver()
      if (request.headers.authorization === undefined || request.method === 'GET') return answer
      throw new ConnectionError('ECONNRESET')
    }
    const lost = { kind: 'unavailable', reason: 'ConnectionLost' }
    expect(await failure(keys().createKey('mesh-root', POLICY))).toMatchObject(lost)
    expect(await failure(secrets().setSecret('ca-key', 'x', { tags: { rotation: 'r1' } }))).toMatchObject(lost)
    expect(await keys().key('mesh-root')).toMatchObject({ tags: { rotation: 'r1' } })
    expect(await secrets().secretVersions('ca-key')).toMatchObject([{ tags: { rotation: 'r1' } }])
    const sent = emulated.exchanges.filter(({ request }) => request.headers.authorization && request.method !== 'GET')
    expect(sent).toHaveLength(0)
  })

  it('are slowed down, each by its own count', async () => {
    const slow = await emulatedVault({ limits: { hsmCreations: 1, secretCreations: 1 } })
    const [ofSlow, at] = [slow.vaults.keys(VAULT_URL), slow.vaults.secrets(VAULT_URL)]
    await ofSlow.key('none')
    await ofSlow.createKey('a', POLICY)
    expect(await failure(ofSlow.createKey('a', POLICY))).toMatchObject({ kind: 'throttled', retryAfterMs: 10_000 })
    await ofSlow.createKey('a', { hsm: false, tags: {} })
    await at.readSecret('a')
    await at.setSecret('a', 'x', {})
    expect(await failure(at.setSecret('a', 'x', {}))).toMatchObject({ kind: 'throttled' })
    await slow.pass(10_000)
    await ofSlow.createKey('a', POLICY)
    await at.setSecret('a', 'x', {})
  })
})

describe('what is secret', () => {
  let logged: string[]
  const log = AzureLogger.log
  beforeEach(() => {
    logged = []
    AzureLogger.log = (...args) => logged.push(args.map(String).join(' '))
    setLogLevel('verbose')
  })
  afterEach(() => {
    AzureLogger.log = log
    setLogLevel(undefined)
  })

  it('is in no log of the SDK, no span and no error, though the vault repeats it', async () => {
    const emulated = await emulatedVault()
    const { pem: value } = await makeCaKey({ type: 'EC', curve: 'P-384' })
    const [spans, telemetry] = listening()
    const httpClient = pipelineTransport((request) => emulated.wire(request, () => emulated.emulator.handle(request)))
    const azure = tracedAzure({ credential: emulated.credential, httpClient, fetch }, telemetry)
    const secrets = keyVaults(azure, emulated.clock).secrets(VAULT_URL)
    const version = await secrets.setSecret('ca-key', value, { contentType: 'application/x-pem-file' })
    expect((await secrets.readSecret('ca-key', version))?.value).toBe(value)
    const errors: PortError[] = []
    for (const status of [400, 403, 409, 500]) {
      emulated.wire = async (request, deliver) =>
        request.headers.authorization === undefined
          ? deliver()
          : jsonResponse(status, { error: { code: 'BadParameter', message: `is wrong: ${value}`, value } })
      errors.push(await failure(secrets.setSecret('ca-key', value, {})))
    }
    emulated.wire = () => Promise.reject(new Error(value))
    errors.push(await failure(secrets.setSecret('ca-key', value, {})))
    expect(errors.map(({ kind }) => kind)).toEqual(['invalid', 'denied', 'conflict', 'unavailable', 'unavailable'])

    const marks = ecMarks(Buffer.from(readPem(value)[0]?.base64 ?? '', 'base64'))
    const told = [...errors.map(everythingIn), JSON.stringify(errors), ...logged, ...spans]
    expect(spans.some((one) => one.includes('outside PUT vault'))).toBe(true)
    expect(logged.length).toBeGreaterThan(10)
    expect(told.filter((text) => marks.some((mark) => text.includes(mark)))).toEqual([])
  })

  it('of a key never leaves the vault, whatever is asked', async () => {
    const made: StoredKey[] = []
    const storage = memoryStorage()
    const emulated = await emulatedVault({ storage })
    const keys = emulated.vaults.keys(VAULT_URL)
    await keys.sign(await keys.createKey('mesh-root', POLICY), BYTES)
    for await (const _ of emulated.keys.listPropertiesOfKeyVersions('mesh-root'))
      await emulated.keys.getKey('mesh-root')
    for await (const _ of emulated.keys.listPropertiesOfKeys()) await keys.key('mesh-root')
    await emulated.keys.backupKey('mesh-root').catch(() => undefined)
    await emulated.keys.releaseKey('mesh-root', 'x').catch(() => undefined)
    await (await emulated.keys.beginDeleteKey('mesh-root')).pollUntilDone()
    await emulated.keys.getDeletedKey('mesh-root')
    for (const [, record] of storage.table('key-vault-keys').entries())
      made.push(...(record as { versions: { key: StoredKey }[] }).versions.map(({ key }) => key))
    const marks = made.flatMap(({ pkcs8 }) => ecMarks(Buffer.from(pkcs8, 'base64')))
    expect(marks.length).toBeGreaterThan(5)
    expect(emulated.exchanges.filter(({ answer }) => marks.some((mark) => answer.includes(mark)))).toEqual([])
  })
})

/** All that spans are told, as text. */
function listening(): readonly [string[], Telemetry] {
  const told: string[] = []
  const telemetry: Telemetry = {
    async span(name, attributes, work) {
      told.push(`${name} ${JSON.stringify(attributes)}`)
      return work((more) => void told.push(JSON.stringify(more)))
    },
    traceparent: () => undefined,
    count: () => undefined,
    record: () => undefined,
    gauge: () => undefined,
  }
  return [told, telemetry]
}
