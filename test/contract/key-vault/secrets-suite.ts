import { beforeEach, describe, expect, it } from 'vitest'
import type { VaultSecrets } from '../../../src/ports/vault-secrets.ts'

export interface OpenedSecrets {
  readonly secrets: VaultSecrets
  softDelete(name: string): Promise<void>
  pass(durationMs: number): Promise<void>
  /** The time that the vault sees. */
  now(): number
}

/** What the secrets of every vault keep to. */
export function vaultSecretsContract(title: string, open: () => Promise<OpenedSecrets>): void {
  describe(`secrets of a vault: ${title}`, () => {
    let opened: OpenedSecrets
    let secrets: VaultSecrets
    beforeEach(async () => {
      opened = await open()
      secrets = opened.secrets
    })

    it('knows nothing of a name that was never used', async () => {
      expect(await secrets.readSecret('none')).toBeUndefined()
      expect(await secrets.readSecret('none', 'a'.repeat(32))).toBeUndefined()
      expect(await secrets.secretVersions('none')).toEqual([])
    })

    it('gives a value back byte by byte, with what was set beside it', async () => {
      const value = '# text ü\r\n-----BEGIN X-----\n \t\nAA==\n'
      const meta = {
        contentType: 'application/x-pem-file',
        tags: { rotation: 'r1', phase: 'widen' },
        notAfter: new Date(Math.floor(opened.now() / 1000) * 1000 + 86_400_000).toISOString(),
      }
      const version = await secrets.setSecret('root-cert', value, meta)
      const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/)
      const told = { ...meta, version, enabled: true, createdAt }
      expect(await secrets.readSecret('root-cert')).toEqual({ ...told, value })
      expect(await secrets.secretVersions('root-cert')).toEqual([told])
    })

    it('keeps the versions before, oldest first, and the last is the newest', async () => {
      const made: string[] = []
      for (const value of ['one', 'two', 'three']) {
        made.push(await secrets.setSecret('ca-key', value, { tags: { value } }))
        await opened.pass(1000)
      }
      expect(new Set(made).size).toBe(3)
      const versions = await secrets.secretVersions('ca-key')
      expect(versions.map(({ version }) => version)).toEqual(made)
      expect(versions.map(({ tags }) => tags.value)).toEqual(['one', 'two', 'three'])
      expect((await secrets.readSecret('ca-key'))?.value).toBe('three')
      expect((await secrets.readSecret('ca-key', made[0]))?.value).toBe('one')
      expect(await secrets.readSecret('ca-key', 'f'.repeat(32))).toBeUndefined()
    })

    it('has nothing beside a value that came alone', async () => {
      const version = await secrets.setSecret('plain', 'x', {})
      expect(await secrets.readSecret('plain')).toEqual({
        value: 'x',
        version,
        tags: {},
        enabled: true,
        createdAt: expect.any(String),
      })
    })

    it('takes 25 KB and no more', async () => {
      await secrets.setSecret('long', 'x'.repeat(25_600), {})
      await expect(secrets.setSecret('long', 'x'.repeat(25_601), {})).rejects.toMatchObject({ kind: 'invalid' })
      expect(await secrets.secretVersions('long')).toHaveLength(1)
    })

    it('lists more versions than a page has', async () => {
      for (let at = 0; at < 27; at += 1) await secrets.setSecret('many', `${at}`, {})
      expect(await secrets.secretVersions('many')).toHaveLength(27)
    })

    it('says that a name lies deleted', async () => {
      await secrets.setSecret('gone', 'x', {})
      await opened.softDelete('gone')
      const failure = { kind: 'conflict', reason: 'SoftDeleted' }
      await expect(secrets.setSecret('gone', 'y', {})).rejects.toMatchObject(failure)
      expect(await secrets.readSecret('gone')).toBeUndefined()
    })
  })
}
