import type { MakeKey } from './keys.ts'

/** What a vault tells the world of its certificates. Times in seconds since the epoch. */
export interface VaultEvent {
  readonly type: 'CertificateNewVersionCreated' | 'CertificateNearExpiry' | 'CertificateExpired'
  /** `sandbox.vault.azure.net`. */
  readonly host: string
  readonly name: string
  readonly version: string
  readonly nbf: number
  readonly exp: number
}

/** Calls in ten seconds to one vault. */
export interface Limits {
  /** Certificates, and keys in software. */
  readonly creations: number
  /** Keys in hardware. */
  readonly hsmCreations: number
  readonly secretCreations: number
  /** Whatever else is done with keys in hardware. */
  readonly hsm: number
  readonly others: number
}

export interface KeyVaultOptions {
  /** Of the challenge that an unauthorised call gets. */
  readonly tenantId: string
  /** Whether a token is good for `https://vault.azure.net`. */
  readonly checkToken: (token: string) => Promise<boolean>
  /** Ready keys (`keyPool`), for speed; each certificate's key is generated when this is left out. */
  readonly makeKey?: MakeKey
  /** How long a certificate authority takes; 1,500 when left out. */
  readonly issueMs?: number
  /** Names of the integrated issuers that are set up; `DigiCert` when left out. */
  readonly issuers?: readonly string[]
  /** The issuer's words when it will not make this certificate. Asked when it would be ready. */
  readonly refusal?: (name: string) => string | undefined
  /** Hears of new versions, near ends and ends. */
  readonly onEvent?: (event: VaultEvent) => void
  /** Whether the vault of a host is of the Premium tier and has keys in hardware; all are when left out. */
  readonly isPremium?: (host: string) => boolean
  /** Calls in ten seconds to one vault, by what they count as. As published where left out. */
  readonly limits?: Partial<Limits>
}

/** What the parts of the emulator share. */
export const DEFAULTS = {
  issueMs: 1500,
  issuers: ['DigiCert'],
  /** learn.microsoft.com/azure/key-vault/general/service-limits: RSA 2,048 and EC. */
  limits: { creations: 20, hsmCreations: 10, secretCreations: 300, hsm: 2000, others: 4000 },
} as const
