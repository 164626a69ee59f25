import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { PortError } from '../../../src/ports/port-error.ts'
import type { PublicJwk, VaultKey, VaultKeyPolicy, VaultKeys } from '../../../src/ports/vault-keys.ts'

const SYSTEM = 'Key Vault memory'

/** The keys of a vault in memory, which keep to the port's contract: real keys. */
export class MemoryKeys implements VaultKeys {
  /** Names of the calls so far, such as `createKey mesh-root`. */
  readonly calls: string[] = []
  private readonly url: string
  private readonly now: () => number
  private readonly kept = new Map<string, { readonly key: VaultKey; readonly half: KeyObject }[]>()
  private readonly deleted = new Set<string>()
  private readonly failures: { readonly call: keyof VaultKeys; readonly when: string; readonly error: PortError }[] = []

  constructor(url: string, now: () => number) {
    this.url = url
    this.now = now
  }

  /** The next call of that name throws this, once: before it has done anything, or when it has been done. */
  failOnce(call: keyof VaultKeys, error: PortError, when: 'before' | 'after' = 'before'): void {
    this.failures.push({ call, when, error })
  }

  /** The name lies deleted, with all that was under it. */
  softDelete(name: string): void {
    this.kept.delete(name)
    this.deleted.add(name)
  }

  async createKey(name: string, { curve = 'P-384', hsm, tags }: VaultKeyPolicy): Promise<VaultKey> {
    this.enter('createKey', name)
    if (this.deleted.has(name))
      throw new PortError('conflict', SYSTEM, `${name} lies deleted`, { reason: 'SoftDeleted' })
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
    const versions = this.kept.get(name) ?? []
    const version = (versions.length + 1).toString(16).padStart(32, '0')
    const id = `${this.url}/keys/${name}/${version}`
    const createdAt = new Date(Math.floor(this.now() / 1000) * 1000).toISOString()
    const jwk = publicKey.export({ format: 'jwk' }) as unknown as PublicJwk
    const key = { id, version, hsm, enabled: true, jwk, createdAt, tags }
    this.kept.set(name, [...versions, { key, half: privateKey }])
    this.fail('createKey', 'after')
    return key
  }

  async key(name: string, version?: string): Promise<VaultKey | undefined> {
    this.enter('key', name)
    const versions = this.kept.get(name) ?? []
    return (version === undefined ? versions.at(-1) : versions.find(({ key }) => key.version === version))?.key
  }

  async sign({ id: keyId }: Pick<VaultKey, 'id'>, bytes: Uint8Array): Promise<Uint8Array> {
    this.enter('sign', keyId)
    if (!keyId.startsWith(`${this.url}/keys/`))
      throw new PortError('invalid', SYSTEM, 'a key of another vault', { reason: 'KeyId' })
    const found = [...this.kept.values()].flat().find(({ key }) => key.id === keyId)
    if (!found) throw new PortError('not-found', SYSTEM, 'there is no such key')
    return sign(found.key.jwk.crv === 'P-256' ? 'sha256' : 'sha384', bytes, {
      key: found.half,
      dsaEncoding: 'ieee-p1363',
    })
  }

  private enter(call: keyof VaultKeys, name: string): void {
    this.calls.push(`${call} ${name}`)
    this.fail(call, 'before')
  }

  private fail(call: keyof VaultKeys, when: string): void {
    const at = this.failures.findIndex((failure) => failure.call === call && failure.when === when)
    const [failure] = at < 0 ? [] : this.failures.splice(at, 1)
    if (failure) throw failure.error
  }
}
