import { createPublicKey, verify } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { spkiOf } from '../../../src/authority/public-key.ts'
import type { VaultKey, VaultKeys } from '../../../src/ports/vault-keys.ts'

export interface OpenedKeys {
  readonly keys: VaultKeys
  /** Address of the vault. */
  readonly url: string
  softDelete(name: string): Promise<void>
  pass(durationMs: number): Promise<void>
}

const BYTES = Buffer.from('what is to be signed')
/** Of a key that is not there. */
const JWK = { kty: 'EC', crv: 'P-384', x: '', y: '' } as const

/** What the keys of every vault keep to. */
export function vaultKeysContract(title: string, open: () => Promise<OpenedKeys>): void {
  describe(`keys of a vault: ${title}`, () => {
    let opened: OpenedKeys
    let keys: VaultKeys
    beforeEach(async () => {
      opened = await open()
      keys = opened.keys
    })

    it('knows nothing of a name that was never used', async () => {
      expect(await keys.key('none')).toBeUndefined()
      expect(await keys.key('none', 'a'.repeat(32))).toBeUndefined()
      const id = `${opened.url}/keys/none/${'a'.repeat(32)}`
      await expect(keys.sign({ id, jwk: JWK }, BYTES)).rejects.toMatchObject({ kind: 'not-found' })
    })

    it.each([true, false])('makes a key (in hardware: %s) that signs, and tells its public half only', async (hsm) => {
      const made = await keys.createKey('mesh-root', { hsm, tags: { rotation: 'r1' } })
      expect(made).toEqual({
        id: `${opened.url}/keys/mesh-root/${made.version}`,
        version: expect.stringMatching(/^[0-9a-f]{32}$/),
        hsm,
        enabled: true,
        jwk: { kty: 'EC', crv: 'P-384', x: expect.any(String), y: expect.any(String) },
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
        tags: { rotation: 'r1' },
      })
      expect(await keys.key('mesh-root')).toEqual(made)
      expect(await keys.key('mesh-root', made.version)).toEqual(made)
      expect(await isSigned(made, await keys.sign(made, BYTES))).toBe(true)
    })

    it.each([
      ['P-256', true, 64],
      ['P-256', false, 64],
      ['P-384', false, 96],
    ] as const)('makes a key on %s (in hardware: %s), whose signatures have %i bytes', async (curve, hsm, length) => {
      const made = await keys.createKey('mesh-root', { curve, hsm, tags: {} })
      expect(made).toMatchObject({ hsm, jwk: { crv: curve } })
      expect(await keys.key('mesh-root', made.version)).toEqual(made)
      const signature = await keys.sign(made, BYTES)
      expect(signature).toHaveLength(length)
      expect(await isSigned(made, signature)).toBe(true)
    })

    it('signs by the version that is named, also when there is a newer one', async () => {
      const first = await keys.createKey('mesh-root', { hsm: true, tags: {} })
      await opened.pass(1000)
      const second = await keys.createKey('mesh-root', { hsm: true, tags: {} })
      expect(await keys.key('mesh-root')).toEqual(second)
      expect(await keys.key('mesh-root', first.version)).toEqual(first)
      const signature = await keys.sign(first, BYTES)
      expect(signature).toHaveLength(96)
      expect([await isSigned(first, signature), await isSigned(second, signature)]).toEqual([true, false])
    })

    it('signs with no key of another vault', async () => {
      const { version } = await keys.createKey('mesh-root', { hsm: false, tags: {} })
      const id = `https://other.vault.azure.net/keys/mesh-root/${version}`
      await expect(keys.sign({ id, jwk: JWK }, BYTES)).rejects.toMatchObject({ kind: 'invalid', reason: 'KeyId' })
    })

    it('says that a name lies deleted', async () => {
      await keys.createKey('gone', { hsm: false, tags: {} })
      await opened.softDelete('gone')
      const failure = { kind: 'conflict', reason: 'SoftDeleted' }
      await expect(keys.createKey('gone', { hsm: false, tags: {} })).rejects.toMatchObject(failure)
      expect(await keys.key('gone')).toBeUndefined()
    })
  })
}

async function isSigned({ jwk }: VaultKey, signature: Uint8Array): Promise<boolean> {
  const key = createPublicKey({ key: Buffer.from(spkiOf(jwk)), format: 'der', type: 'spki' })
  return verify(jwk.crv === 'P-256' ? 'sha256' : 'sha384', BYTES, { key, dsaEncoding: 'ieee-p1363' }, signature)
}
