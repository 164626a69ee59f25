import type { CertificateVersion } from '../model/certificate.ts'
import type { CertificateDocument } from '../model/documents.ts'
import type { Rotation } from '../model/rotation.ts'
import type { VaultVersion } from '../ports/vault.ts'
import { policyDigest, ROTATION_TAG } from './issue-policy.ts'
import { followAt } from './renewal.ts'

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
  // A vault that renews by itself may copy the tags of the version before.
  const isMark = ({ id, candidate }: Rotation) =>
    id === newest.tags[ROTATION_TAG] && (candidate === undefined || candidate.version === newest.version)
  if (known.some(isMark)) return undefined
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

/** The current version; before there is one, what of all that clusters were given ends first, `except` that version. */
export function servedFirst(document: CertificateDocument, except?: string): CertificateVersion | undefined {
  const served = servedVersions(document).filter(({ version }) => version !== except)
  return document.current ?? served.toSorted((one, other) => (one.notAfter < other.notAfter ? -1 : 1))[0]
}

/** When a version is to be followed by the next one, in epoch milliseconds. */
export function renewsAt(document: CertificateDocument, version: CertificateVersion): number {
  const rotation = rotationsOf(document).find(({ candidate }) => candidate?.version === version.version)
  const askedAt = rotation && Date.parse(rotation.startedAt)
  return followAt(document.name, document.spec, version, askedAt)
}

function rotationsOf({ rotation, history }: CertificateDocument): readonly Rotation[] {
  return rotation ? [rotation, ...history] : history
}
