import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
