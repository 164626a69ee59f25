import { PortError } from '../../../src/ports/port-error.ts'
import type { SecretContent, SecretMeta, SecretVersion, VaultSecrets } from '../../../src/ports/vault-secrets.ts'

const SYSTEM = 'Key Vault memory'
const MOST_BYTES = 25_600

/** The secrets of a vault in memory, which keep to the port's contract. */
export class MemorySecrets implements VaultSecrets {
  /** Names of the calls so far, such as `setSecret root-cert`: never a value. */
  readonly calls: string[] = []
  private readonly now: () => number
  private readonly kept = new Map<string, SecretContent[]>()
  private readonly deleted = new Set<string>()
  private readonly failures: { readonly call: keyof VaultSecrets; readonly when: string; readonly error: PortError }[] =
    []

  constructor(now: () => number) {
    this.now = now
  }

  /** The next call of that name throws this, once: before it has done anything, or when it has been done. */
  failOnce(call: keyof VaultSecrets, error: PortError, when: 'before' | 'after' = 'before'): void {
    this.failures.push({ call, when, error })
  }

  /** The name lies deleted, with all that was under it. */
  softDelete(name: string): void {
    this.kept.delete(name)
    this.deleted.add(name)
  }

  async setSecret(name: string, value: string, meta: SecretMeta): Promise<string> {
    this.enter('setSecret', name)
    if (this.deleted.has(name))
      throw new PortError('conflict', SYSTEM, `${name} lies deleted`, { reason: 'SoftDeleted' })
    if (Buffer.byteLength(value) > MOST_BYTES) throw new PortError('invalid', SYSTEM, 'the value is longer than 25 KB')
    const versions = this.kept.get(name) ?? []
    const version = (versions.length + 1).toString(16).padStart(32, '0')
    const createdAt = new Date(Math.floor(this.now() / 1000) * 1000).toISOString()
    versions.push({ tags: {}, ...meta, value, version, createdAt, enabled: true })
    this.kept.set(name, versions)
    this.fail('setSecret', 'after')
    return version
  }

  async secretVersions(name: string): Promise<readonly SecretVersion[]> {
    this.enter('secretVersions', name)
    return (this.kept.get(name) ?? []).map(({ value: _, ...one }) => one)
  }

  async readSecret(name: string, version?: string): Promise<SecretContent | undefined> {
    this.enter('readSecret', name)
    const versions = this.kept.get(name) ?? []
    return version === undefined ? versions.at(-1) : versions.find((one) => one.version === version)
  }

  private enter(call: keyof VaultSecrets, name: string): void {
    this.calls.push(`${call} ${name}`)
    this.fail(call, 'before')
  }

  private fail(call: keyof VaultSecrets, when: string): void {
    const at = this.failures.findIndex((failure) => failure.call === call && failure.when === when)
    const [failure] = at < 0 ? [] : this.failures.splice(at, 1)
    if (failure) throw failure.error
  }
}
