/**
 * Where looks for certificates go. `cluster`: the trust bundles of a mesh. `plug-in-ca`: the public ones of the four secrets of
 * a plug-in CA that nobody registered, by its cluster. `vault`: the list of a vault, by its name.
 */
export const FOUND_PLACES = ['cluster', 'plug-in-ca', 'vault'] as const
export type FoundPlace = (typeof FOUND_PLACES)[number]

/** Kinds of certificates that looks find. What `vault-certificate` is for, a list does not tell. */
export const FOUND_KINDS = ['mesh-root', 'mesh-signer', 'trust-anchor', 'vault-certificate'] as const
export type FoundKind = (typeof FOUND_KINDS)[number]

/** A certificate as a look found it; all of it is public. */
export interface FoundCertificate {
  readonly kind: FoundKind
  /** What holds it: `ConfigMap istio-ca-root-cert`, `secret root-cert`, `certificate shop-tls`. */
  readonly object: string
  /** Lower-case hex without leading zeros; absent: it was not read. */
  readonly serial?: string
  /** SHA-256 of the DER, lower-case hex; absent: it was not read. */
  readonly fingerprint?: string
  readonly subject?: string
  /** RFC 3339. */
  readonly notBefore?: string
  readonly notAfter: string
  /** Of trust bundles: how many namespaces hold it, and up to five of them. */
  readonly namespaces?: number
  readonly examples?: readonly string[]
}

/** What the last looks at a place found, and of what people were told. */
export interface FoundState {
  readonly place: FoundPlace
  /** Of the cluster, or of the vault. */
  readonly name: string
  /** `failed`: the last look could not see it, see `reason`; what is kept is as at `lookedAt`. */
  readonly state: 'seen' | 'failed'
  /** CamelCase for machines. */
  readonly reason: string
  readonly message: string
  /** RFC 3339 of the last look that saw it. */
  readonly lookedAt?: string
  /** Those that end first, 500 at most. */
  readonly certificates: readonly FoundCertificate[]
  /** How many more there are. */
  readonly left: number
  /** Namespaces whose bundle holds nothing that can be read. */
  readonly unreadable: number
  /** Of what nobody registered: marks (days before an end) of which people were told, by `foundId`. */
  readonly warned: Readonly<Record<string, readonly number[]>>
  /** Failed looks in a row; sets the backoff. */
  readonly attempts: number
}

/** Tells certificates of a place apart. */
export function foundId({ fingerprint, object, notAfter }: FoundCertificate): string {
  return fingerprint ?? `${object} ${notAfter}`
}

export function foundKey({ place, name }: Pick<FoundState, 'place' | 'name'>): string {
  return `${place}/${name}`
}

/** Place and name of a key; undefined when it is none. */
export function splitFoundKey(key: string): Pick<FoundState, 'place' | 'name'> | undefined {
  const at = key.indexOf('/')
  const place = FOUND_PLACES.find((one) => one === key.slice(0, at))
  return place && { place, name: key.slice(at + 1) }
}

/** A vault's own name, without its domain. */
export function vaultName(url: string): string {
  return new URL(url).hostname.split('.')[0]?.toLowerCase() ?? ''
}
