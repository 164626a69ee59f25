import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { spkiOf } from '../../../src/authority/public-key.ts'
import { sqliteStorage } from '../../../src/sandbox/storage.ts'
import { emulatedVault, VAULT_URL } from './emulated-vault.ts'

const POLICY = {
  issuer: { kind: 'integrated' as const, name: 'DigiCert' },
  dnsNames: ['shop.example.com'],
  validityMonths: 3,
  key: { type: 'EC' as const, curve: 'P-256' as const },
}

it('what is pending goes on after a restart, and the CA is the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-'))
  const before = sqliteStorage(join(folder, 'state.db'))
  const first = await emulatedVault({ storage: before })
  await first.vaults.open(VAULT_URL).create('shop', POLICY, { rotation: 'r1' })
  const root = await first.emulator.rootCertificate()
  before.close()

  const after = sqliteStorage(join(folder, 'state.db'))
  const second = await emulatedVault({ storage: after })
  const vault = second.vaults.open(VAULT_URL)
  await second.pass(5000)
  await second.emulator.advance()
  expect(second.events.map(({ type }) => type)).toEqual(['CertificateNewVersionCreated'])
  expect(await vault.version('shop')).toMatchObject({ tags: { rotation: 'r1' } })
  expect(await second.emulator.rootCertificate()).toBe(root)
  after.close()
  rmSync(folder, { recursive: true, force: true })
})

it('keys and secrets are the same after a restart, deleted ones too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-'))
  const before = sqliteStorage(join(folder, 'state.db'))
  const first = (await emulatedVault({ storage: before })).vaults
  const made = await first.keys(VAULT_URL).createKey('mesh-root', { hsm: true, tags: { rotation: 'r1' } })
  const version = await first.secrets(VAULT_URL).setSecret('ca-key', 'value', {})
  before.close()

  const after = sqliteStorage(join(folder, 'state.db'))
  const second = await emulatedVault({ storage: after })
  const keys = second.vaults.keys(VAULT_URL)
  expect(await keys.key('mesh-root')).toEqual(made)
  const key = createPublicKey({ key: Buffer.from(spkiOf(made.jwk)), format: 'der', type: 'spki' })
  const bytes = Buffer.from('bytes')
  expect(verify('sha384', bytes, { key, dsaEncoding: 'ieee-p1363' }, await keys.sign(made, bytes))).toBe(true)
  expect(await second.vaults.secrets(VAULT_URL).readSecret('ca-key')).toMatchObject({ value: 'value', version })
  await second.keys.beginDeleteKey('mesh-root')
  after.close()

  const last = sqliteStorage(join(folder, 'state.db'))
  const third = (await emulatedVault({ storage: last })).vaults.keys(VAULT_URL)
  const again = third.createKey('mesh-root', { hsm: true, tags: {} })
  await expect(again).rejects.toMatchObject({ reason: 'SoftDeleted' })
  last.close()
  rmSync(folder, { recursive: true, force: true })
})
