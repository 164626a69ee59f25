import type { CertificateSpec } from '../model/certificate.ts'
import { digest } from '../model/digest.ts'
import type { CertificateDocument } from '../model/documents.ts'
import type { VaultPolicy } from '../ports/vault.ts'

const VALIDITY_MONTHS = 3

/** Tag of a version in the vault: the rotation that made it. */
export const ROTATION_TAG = 'meshwright-rotation'

/** How the vault is to make a new version. */
export function vaultPolicy(spec: CertificateSpec): VaultPolicy {
  const { issuer, dnsNames, validityMonths = VALIDITY_MONTHS, key } = spec
  return { issuer, dnsNames, validityMonths, key }
}

/** Tells apart what can be asked of a version: when it changes, a version that was refused may be looked at anew. */
export function policyDigest(spec: CertificateSpec): string {
  return digest(vaultPolicy(spec)).slice(0, 16)
}

/** Does Meshwright ask the vault for versions? Imported ones are only ever made by other hands. */
export function isMadeHere({ issuer }: Pick<CertificateSpec, 'issuer'>): boolean {
  return issuer.kind !== 'imported'
}

/** The name of the certificate in its vault. */
export function vaultNameOf({ name, spec }: Pick<CertificateDocument, 'name' | 'spec'>): string {
  return spec.vaultName ?? name
}

/** Hosts that a certificate for `dnsNames` does not serve. A wildcard stands for exactly one label (RFC 6125 §6.4.3). */
export function uncoveredHosts(hosts: readonly string[], dnsNames: readonly string[]): readonly string[] {
  const names = new Set(dnsNames.map((name) => name.toLowerCase()))
  return hosts.filter((host) => {
    if (names.has(host)) return false
    return host.startsWith('*.') || !names.has(`*.${host.slice(host.indexOf('.') + 1)}`)
  })
}
