import type { CertificateVersion } from '../model/certificate.ts'
import type { CertificateDocument } from '../model/documents.ts'
import type { VaultVersion } from '../ports/vault.ts'
import { policyDigest, ROTATION_TAG } from './issue-policy.ts'

/**
 * The newest version, if another hand made it and it is to be brought to the clusters: not current, enabled, no tag of a
 * rotation of ours, and not refused before for the same spec.
 */
export function foundVersion(
  document: CertificateDocument,
  newest: VaultVersion | undefined,
): VaultVersion | undefined {
  if (!newest?.enabled || newest.version === document.current?.version) return undefined
  const policy = policyDigest(document.spec)
  const known = rotationsOf(document)
  if (known.some(({ id }) => id === newest.tags[ROTATION_TAG])) return undefined
  const refused = known.some(
    (rotation) =>
      rotation.phase === 'failed' && rotation.candidate?.version === newest.version && rotation.policy === policy,
  )
  return refused ? undefined : newest
}

/** Versions that some cluster has been given, or that are current: what follows them must not end earlier. */
export function servedVersions(document: CertificateDocument): readonly CertificateVersion[] {
  const given = new Set(Object.values(document.targets).map(({ version }) => version))
  const candidates = rotationsOf(document).flatMap(({ candidate }) => (candidate ? [candidate] : []))
  const served = candidates.filter(({ version }) => given.has(version))
  return document.current ? [document.current, ...served] : served
}

function rotationsOf({ rotation, history }: CertificateDocument) {
  return rotation ? [rotation, ...history] : history
}
