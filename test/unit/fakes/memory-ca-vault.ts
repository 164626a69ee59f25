import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { PortError } from '../../../src/ports/port-error.ts'
import type { PublicJwk, VaultKey, VaultKeyPolicy, VaultKeys } from '../../../src/ports/vault-keys.ts'
import type { SecretContent, SecretMeta, SecretVersion, VaultSecrets } from '../../../src/ports/vault-secrets.ts'

/**
 * Keys and secrets of one vault in memory, in one order of requests. `interrupt` is asked before and after each, by its
 * running number: what it throws is thrown, before the request was carried out or after.
 */
export class MemoryCaVault implements VaultKeys, VaultSecrets {
  /** Requests so far: `set root-cert`, `get ca-key`, `create-key east-ca-root`, `sign`. No values. */
  readonly calls: string[] = []
  interrupt: (call: string, when: 'before' | 'after', count: number) => void | Promise<void> = () => undefined
  private readonly contents = new Map<string, SecretContent[]>()
  private readonly kept = new Map<string, { readonly key: VaultKey; readonly half: KeyObject }[]>()
  private count = 0

  /** As another hand. */
  put(name: string, value: string, meta: SecretMeta = {}): string {
    this.count += 1
    const version = `v${String(this.count).padStart(4, '0')}`
    const content = { version, value, enabled: true, createdAt: '2030-01-01T00:00:00Z', tags: {}, ...meta }
    this.contents.set(name, [...(this.contents.get(name) ?? []), content])
    return version
  }

  peek(name: string): SecretContent | undefined {
    return this.contents.get(name)?.at(-1)
  }

  /** Every value that a secret has had. */
  values(name: string): readonly string[] {
    return (this.contents.get(name) ?? []).map(({ value }) => value)
  }

  /** Names of all secrets. */
  names(): readonly string[] {
    return [...this.contents.keys()]
  }

  drop(name: string): void {
    this.contents.delete(name)
  }

  dropKey(name: string): void {
    this.kept.delete(name)
  }

  readSecret(name: string, version?: string): Promise<SecretContent | undefined> {
    return this.ask(`get ${name}`, () => {
      const all = this.contents.get(name) ?? []
      return version === undefined ? all.at(-1) : all.find((one) => one.version === version)
    })
  }

  setSecret(name: string, value: string, meta: SecretMeta): Promise<string> {
    return this.ask(`set ${name}`, () => this.put(name, value, meta))
  }

  secretVersions(name: string): Promise<readonly SecretVersion[]> {
    return this.ask(`versions ${name}`, () => this.contents.get(name) ?? [])
  }

  key(name: string, version?: string): Promise<VaultKey | undefined> {
    return this.ask(`key ${name}`, () => {
      const all = (this.kept.get(name) ?? []).map(({ key }) => key)
      return version === undefined ? all.at(-1) : all.find((one) => one.version === version)
    })
  }

  createKey(name: string, { curve = 'P-384', hsm, tags }: VaultKeyPolicy): Promise<VaultKey> {
    return this.ask(`create-key ${name}`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
      const all = this.kept.get(name) ?? []
      const version = String(all.length + 1)
      const id = `https://mesh.vault.azure.net/keys/${name}/${version}`
      const jwk = publicKey.export({ format: 'jwk' }) as unknown as PublicJwk
      const key = { id, version, hsm, enabled: true, jwk, createdAt: '2030-01-01T00:00:00Z', tags }
      this.kept.set(name, [...all, { key, half: privateKey }])
      return key
    })
  }

  sign({ id: keyId }: Pick<VaultKey, 'id'>, bytes: Uint8Array): Promise<Uint8Array> {
    return this.ask('sign', () => {
      const found = [...this.kept.values()].flat().find(({ key }) => key.id === keyId)
      if (!found) throw new PortError('not-found', 'memory', 'there is no such key')
      return sign(found.key.jwk.crv === 'P-256' ? 'sha256' : 'sha384', bytes, {
        key: found.half,
        dsaEncoding: 'ieee-p1363',
      })
    })
  }

  private async ask<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call)
    const { length } = this.calls
    await this.interrupt(call, 'before', length)
    const answer = work()
    await this.interrupt(call, 'after', length)
    return answer
  }
}
