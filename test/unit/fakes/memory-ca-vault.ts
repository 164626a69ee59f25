import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { CaSecret, CaVault, CaVaultKey, CaVaults } from '../../../src/mesh-ca/ca-vault.ts'
import { PortError } from '../../../src/ports/port-error.ts'

interface Version extends CaSecret {
  readonly at: number
}

/**
 * Keys and secrets of a vault in memory. `interrupt` is asked before and after each request, by its running number: what it
 * throws is thrown, before the request was carried out or after.
 */
export class MemoryCaVault implements CaVault {
  /** Requests so far: `set root-cert`, `get ca-key`, `create-key east-ca-root`, `sign`. No values. */
  readonly calls: string[] = []
  interrupt: (call: string, when: 'before' | 'after', count: number) => void = () => undefined
  private readonly secrets = new Map<string, Version[]>()
  private readonly versions = new Map<string, { readonly key: CaVaultKey; readonly privateKey: KeyObject }[]>()
  private count = 0

  /** As another hand. */
  put(name: string, value: string, tags: Readonly<Record<string, string>> = {}): string {
    this.count += 1
    const version = `v${String(this.count).padStart(4, '0')}`
    this.secrets.set(name, [...(this.secrets.get(name) ?? []), { version, value, tags, at: this.count }])
    return version
  }

  peek(name: string): CaSecret | undefined {
    return this.secrets.get(name)?.at(-1)
  }

  /** Every value that any secret has had, by name. */
  values(name: string): readonly string[] {
    return (this.secrets.get(name) ?? []).map(({ value }) => value)
  }

  drop(name: string): void {
    this.secrets.delete(name)
  }

  dropKey(name: string): void {
    this.versions.delete(name)
  }

  secret(name: string, version?: string): Promise<CaSecret | undefined> {
    return this.ask(`get ${name}`, () => {
      const all = this.secrets.get(name) ?? []
      return version === undefined ? all.at(-1) : all.find((one) => one.version === version)
    })
  }

  setSecret(
    name: string,
    value: string,
    { tags }: { readonly tags: Readonly<Record<string, string>> },
  ): Promise<string> {
    return this.ask(`set ${name}`, () => this.put(name, value, tags))
  }

  keys(name: string): Promise<readonly CaVaultKey[]> {
    return this.ask(`keys ${name}`, () => (this.versions.get(name) ?? []).map(({ key }) => key))
  }

  createKey(name: string, { tags }: { readonly tags: Readonly<Record<string, string>> }): Promise<CaVaultKey> {
    return this.ask(`create-key ${name}`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
      const all = this.versions.get(name) ?? []
      const key = {
        id: `https://v/keys/${name}/${all.length + 1}`,
        publicKey: publicKey.export({ format: 'der', type: 'spki' }),
        tags,
      }
      this.versions.set(name, [...all, { key, privateKey }])
      return key
    })
  }

  sign(keyId: string, bytes: Uint8Array): Promise<Uint8Array> {
    return this.ask('sign', () => {
      const found = [...this.versions.values()].flat().find(({ key }) => key.id === keyId)
      if (!found) throw new PortError('not-found', 'memory', 'there is no such key')
      return sign('sha384', bytes, { key: found.privateKey, dsaEncoding: 'ieee-p1363' })
    })
  }

  private async ask<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call)
    const { length } = this.calls
    this.interrupt(call, 'before', length)
    const answer = work()
    this.interrupt(call, 'after', length)
    return answer
  }
}

export class MemoryCaVaults implements CaVaults {
  private readonly vaults = new Map<string, MemoryCaVault>()

  open(url: string): MemoryCaVault {
    if (new URL(url).hostname.startsWith('forbidden'))
      throw new PortError('denied', 'Key Vault', 'that vault may not be called')
    const vault = this.vaults.get(url) ?? new MemoryCaVault()
    this.vaults.set(url, vault)
    return vault
  }
}
