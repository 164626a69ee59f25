import { X509Certificate } from 'node:crypto'
import { PortError } from '../../../src/ports/port-error.ts'
import type {
  Vault,
  VaultListing,
  VaultOperation,
  VaultPolicy,
  VaultSecret,
  Vaults,
  VaultVersion,
} from '../../../src/ports/vault.ts'
import { generateKey, privateKeyOf, type StoredKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem, readPem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import {
  type Authority,
  authority,
  certificateRequest,
  signRequest,
} from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { MemoryKeys } from './memory-keys.ts'
import { MemorySecrets } from './memory-secrets.ts'

const DAY_MS = 24 * 3_600_000
const SYSTEM = 'Key Vault memory'

interface Stored {
  readonly versions: { readonly version: VaultVersion; readonly secret: string }[]
  operation?: VaultOperation
  /** What a pending operation becomes. */
  pending?: { readonly key: StoredKey; readonly policy: VaultPolicy; readonly tags: Readonly<Record<string, string>> }
}

/** How a version by another hand looks. */
export interface OtherHand {
  readonly dnsNames: readonly string[]
  readonly validForMs?: number
  readonly tags?: Readonly<Record<string, string>>
  readonly enabled?: boolean
}

/**
 * A vault in memory that keeps to the port's contract, with real certificates of a CA of its own (EC, so they cost
 * little). An operation stays pending until the test says `complete`, `fail` or, for an external issuer, merges.
 */
export class MemoryVault implements Vault {
  /** Names of the calls so far, such as `create shop-tls`. */
  readonly calls: string[] = []
  private readonly now: () => number
  private readonly certificates = new Map<string, Stored>()
  private readonly plain = new Map<string, VaultSecret>()
  private readonly deleted = new Set<string>()
  private readonly failures: { readonly call: keyof Vault; readonly error: PortError }[] = []
  private ca: Promise<Authority> | undefined
  private count = 0

  constructor(now: () => number = () => Date.UTC(2030, 0, 1)) {
    this.now = now
  }

  /** The next call of that name throws this, once. */
  failOnce(call: keyof Vault, error: PortError): void {
    this.failures.push({ call, error })
  }

  /** The pending operation becomes the newest version. */
  async complete(name: string): Promise<VaultVersion> {
    const { stored, pending, csr } = this.pendingOf(name)
    const leaf = await this.sign(csr, pending.policy.validityMonths * 30 * DAY_MS)
    return this.keep(stored, pending, leaf)
  }

  /** The pending operation ends with the issuer's words. */
  fail(name: string, error = 'the issuer refuses'): void {
    const { stored, csr } = this.pendingOf(name)
    delete stored.pending
    stored.operation = { state: 'failed', csr, error }
  }

  /** What an external CA makes of a CSR (PEM): the chain, leaf first. */
  async signCsr(csr: string, validForMs = 90 * DAY_MS): Promise<string> {
    return this.sign(readPem(csr)[0]?.base64 ?? '', validForMs)
  }

  /** A version that no rotation of ours made. */
  async addVersion(name: string, how: OtherHand): Promise<VaultVersion> {
    const { dnsNames, validForMs = 90 * DAY_MS, tags = {}, enabled = true } = how
    const key = await generateKey({ kty: 'EC', curve: 'P-256' })
    const csr = await request(key, dnsNames)
    const made = await this.keep(this.stored(name), { key, tags }, await this.sign(csr, validForMs), enabled)
    return made
  }

  /** A secret that belongs to no certificate. */
  putSecret(name: string, secret: VaultSecret): void {
    this.plain.set(name, secret)
  }

  /** The name lies deleted in the vault, with all that was under it. */
  softDelete(name: string): void {
    this.certificates.delete(name)
    this.deleted.add(name)
  }

  async version(name: string, version?: string): Promise<VaultVersion | undefined> {
    this.enter('version', name)
    const versions = this.certificates.get(name)?.versions ?? []
    const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version.version === version)
    return found?.version
  }

  async versions(name: string) {
    this.enter('versions', name)
    const versions = this.certificates.get(name)?.versions ?? []
    return versions.map(({ version: { version, tags } }) => ({ version, tags }))
  }

  async create(name: string, policy: VaultPolicy, tags: Readonly<Record<string, string>>): Promise<void> {
    this.enter('create', name)
    if (this.deleted.has(name)) throw conflict('SoftDeleted')
    const stored = this.stored(name)
    if (stored.operation?.state === 'in-progress') throw conflict('Pending')
    const key = await generateKey({ kty: 'EC', curve: 'P-256' })
    stored.pending = { key, policy, tags }
    const csr = pem('CERTIFICATE REQUEST', await request(key, policy.dnsNames))
    stored.operation = { state: 'in-progress', csr }
  }

  async operation(name: string): Promise<VaultOperation | undefined> {
    this.enter('operation', name)
    return this.certificates.get(name)?.operation
  }

  async dropOperation(name: string): Promise<void> {
    this.enter('dropOperation', name)
    const stored = this.certificates.get(name)
    delete stored?.operation
    delete stored?.pending
  }

  async merge(name: string, chain: string): Promise<void> {
    this.enter('merge', name)
    const stored = this.certificates.get(name)
    const pending = stored?.pending
    if (!stored || !pending) throw new PortError('not-found', SYSTEM, 'nothing is pending')
    const [leaf] = readPem(chain)
    const certificate = new X509Certificate(Buffer.from(leaf?.base64 ?? '', 'base64'))
    if (!certificate.checkPrivateKey(privateKeyOf(pending.key)))
      throw new PortError('invalid', SYSTEM, 'the certificate is for another key')
    this.keep(stored, pending, chain)
  }

  async secret(name: string, version?: string): Promise<VaultSecret> {
    this.enter('secret', name)
    const versions = this.certificates.get(name)?.versions ?? []
    const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version.version === version)
    const plain = this.plain.get(name)
    if (found) return { value: found.secret, contentType: 'application/x-pem-file' }
    if (plain && version === undefined) return plain
    throw new PortError('not-found', SYSTEM, `there is no secret ${name}`)
  }

  async *list(): AsyncIterable<readonly VaultListing[]> {
    this.enter('list')
    const names = [...this.certificates.keys()].sort()
    for (let from = 0; from < names.length; from += 25)
      yield names.slice(from, from + 25).map((name) => this.listing(name))
  }

  private listing(name: string): VaultListing {
    const newest = this.certificates.get(name)?.versions.at(-1)?.version
    return { name, enabled: newest?.enabled ?? false, ...(newest ? { notAfter: newest.notAfter } : {}) }
  }

  private enter(call: keyof Vault, name = ''): void {
    this.calls.push(`${call} ${name}`.trim())
    const at = this.failures.findIndex((failure) => failure.call === call)
    const [failure] = at < 0 ? [] : this.failures.splice(at, 1)
    if (failure) throw failure.error
  }

  private stored(name: string): Stored {
    const known = this.certificates.get(name)
    if (known) return known
    const made: Stored = { versions: [] }
    this.certificates.set(name, made)
    return made
  }

  private pendingOf(name: string) {
    const stored = this.stored(name)
    const { pending, operation } = stored
    if (!pending || !operation) throw new Error(`nothing is pending for ${name}`)
    return { stored, pending, csr: readPem(operation.csr)[0]?.base64 ?? '' }
  }

  /** The chain, PEM, that the vault's own CA makes for a CSR (base64). */
  private async sign(csr: string, validForMs: number): Promise<string> {
    this.ca ??= generateKey({ kty: 'EC', curve: 'P-256' }).then((key) =>
      authority(key, 'CN=Memory CA', { notBefore: 0, notAfter: Date.UTC(2100, 0, 1), serial: '01' }),
    )
    const ca = await this.ca
    const notBefore = Math.floor(this.now() / 1000) * 1000
    this.count += 1
    const serial = `1${this.count.toString(16).padStart(7, '0')}`
    const leaf = await signRequest(csr, ca, { notBefore, notAfter: notBefore + validForMs, serial })
    return pem('CERTIFICATE', leaf) + pem('CERTIFICATE', ca.der)
  }

  private keep(
    stored: Stored,
    made: { readonly key: StoredKey; readonly tags: Readonly<Record<string, string>> },
    chain: string,
    enabled = true,
  ): VaultVersion {
    this.count += 1
    const version = this.count.toString(16).padStart(32, '0')
    const kept: VaultVersion = { ...publicParts(chain), version, enabled, tags: made.tags, createdAt: this.time() }
    stored.versions.push({ version: kept, secret: pem('PRIVATE KEY', made.key.pkcs8) + chain })
    if (stored.operation) stored.operation = { state: 'completed', csr: stored.operation.csr }
    delete stored.pending
    return kept
  }

  private time(): string {
    return new Date(this.now()).toISOString()
  }
}

/** Vaults by address; each is made when it is first opened. Addresses in `refused` may not be called. */
export class MemoryVaults implements Vaults {
  readonly refused = new Set<string>()
  private readonly now: () => number
  private readonly vaults = new Map<string, { vault: MemoryVault; keys: MemoryKeys; secrets: MemorySecrets }>()

  constructor(now: () => number = () => Date.UTC(2030, 0, 1)) {
    this.now = now
  }

  open(url: string): MemoryVault {
    return this.at(url).vault
  }

  keys(url: string): MemoryKeys {
    return this.at(url).keys
  }

  secrets(url: string): MemorySecrets {
    return this.at(url).secrets
  }

  private at(url: string) {
    if (this.refused.has(url)) throw new PortError('denied', SYSTEM, 'may not be called', { reason: 'AddressRefused' })
    const { now } = this
    const made = () => ({
      vault: new MemoryVault(now),
      keys: new MemoryKeys(url, now),
      secrets: new MemorySecrets(now),
    })
    const known = this.vaults.get(url) ?? made()
    this.vaults.set(url, known)
    return known
  }
}

/** The public parts of a chain's leaf (PEM), as the port tells them. */
export function publicParts(chain: string): Omit<VaultVersion, 'version' | 'enabled' | 'tags' | 'createdAt'> {
  const certificate = new X509Certificate(chain)
  return {
    serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    dnsNames: [...(certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name),
    issuer: certificate.issuer,
    pem: pem('CERTIFICATE', certificate.raw.toString('base64')),
  }
}

function request(key: StoredKey, dnsNames: readonly string[]): Promise<string> {
  const [subject = 'none'] = dnsNames
  return certificateRequest(key, {
    subject: `CN=${subject}`,
    names: { dnsNames },
    ekus: ['1.3.6.1.5.5.7.3.1'],
    keyUsage: ['digitalSignature'],
  })
}

function conflict(reason: 'Pending' | 'SoftDeleted'): PortError {
  return new PortError('conflict', SYSTEM, `the name cannot be used now (${reason})`, { reason })
}
