import { type KeyObject, X509Certificate } from 'node:crypto'
import { foreignHosts } from '../model/access.ts'
import { type CertificateSpec, type CertificateVersion, serialText } from '../model/certificate.ts'
import type { VaultVersion } from '../ports/vault.ts'
import { uncoveredHosts } from './issue-policy.ts'
import type { Refusal } from './pem-chain.ts'

/** What a version is held against before any cluster may get it. */
export interface CheckInput {
  readonly spec: CertificateSpec
  readonly version: VaultVersion
  /** Hosts that the certificate's team owns; undefined when it names no team. */
  readonly teamHosts?: readonly string[]
  /** Versions that a cluster has been given: none may be followed by one that ends earlier. */
  readonly served: readonly CertificateVersion[]
  /** Epoch milliseconds. */
  readonly now: number
}

type Policy = (input: CheckInput, leaf: X509Certificate) => Refusal | undefined

/** Clocks of certificate authorities may be ahead by this. */
const LEEWAY_MS = 5 * 60_000
const LEAST_RSA_BITS = 2048
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

const POLICIES: readonly Policy[] = [
  isEnabled,
  isWhatTheVaultSays,
  isValidNow,
  coversHosts,
  staysInTeam,
  isStrong,
  ends,
]

/** The first policy that a version does not pass, or undefined. Pure; its chain and private key are the delivery's to check. */
export function checkCandidate(input: CheckInput): Refusal | undefined {
  const leaf = readLeaf(input.version.pem)
  if (!leaf) return { reason: 'CertificateUnreadable', message: 'The vault gives a certificate that is not X.509.' }
  for (const policy of POLICIES) {
    const refusal = policy(input, leaf)
    if (refusal) return refusal
  }
  return undefined
}

function readLeaf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

function isEnabled({ version }: CheckInput): Refusal | undefined {
  if (version.enabled) return undefined
  return { reason: 'VersionDisabled', message: `Version ${version.version} is disabled in the vault.` }
}

/** What is told of the version must be what the certificate says, or the delivery would look for another. */
function isWhatTheVaultSays({ version }: CheckInput, leaf: X509Certificate): Refusal | undefined {
  if (serialText(leaf.serialNumber) === version.serial) return undefined
  const message = `The certificate has serial ${serialText(leaf.serialNumber)}, not ${version.serial}.`
  return { reason: 'SerialMismatch', message }
}

function isValidNow({ now }: CheckInput, leaf: X509Certificate): Refusal | undefined {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  if (from > now + LEEWAY_MS) return { reason: 'NotYetValid', message: `It is not valid before ${leaf.validFrom}.` }
  if (to <= now) return { reason: 'Ended', message: `It ended at ${leaf.validTo}.` }
  return undefined
}

function coversHosts({ spec, version }: CheckInput): Refusal | undefined {
  const missing = uncoveredHosts(spec.dnsNames, version.dnsNames)
  if (missing.length === 0) return undefined
  return { reason: 'HostsMissing', message: `It does not serve ${missing.join(', ')}.` }
}

/** A certificate of a team must not serve hosts of others, whoever made it. */
function staysInTeam({ version, teamHosts }: CheckInput): Refusal | undefined {
  if (teamHosts === undefined) return undefined
  const names = version.dnsNames.map((host) => host.toLowerCase())
  const foreign = foreignHosts(names, teamHosts)
  if (foreign.length === 0) return undefined
  return { reason: 'HostsOfOthers', message: `It serves ${foreign.join(', ')}, which the team does not own.` }
}

function isStrong(_: CheckInput, { publicKey }: X509Certificate): Refusal | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_RSA_BITS) return undefined
  if (type === 'ec' && CURVES.includes(details?.namedCurve ?? '')) return undefined
  return { reason: 'KeyTooWeak', message: `Its key (${describeKey(publicKey)}) is weaker than RSA 2048 or EC P-256.` }
}

function describeKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const detail = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength
  return [asymmetricKeyType ?? 'unknown', detail].filter((part) => part !== undefined).join(' ')
}

/** Never older than one that a cluster has been given. */
function ends({ version, served }: CheckInput): Refusal | undefined {
  const later = served.find(
    (other) => other.version !== version.version && Date.parse(other.notAfter) > Date.parse(version.notAfter),
  )
  if (!later) return undefined
  const message = `It ends at ${version.notAfter}, before serial ${later.serial}, which is served already and ends at ${later.notAfter}.`
  return { reason: 'EndsEarlier', message }
}
