import type { CertificateDocument } from '../model/documents.ts'
import type { VaultVersion } from '../ports/vault.ts'
import type { CheckInput } from './check-candidate.ts'
import { servedVersions } from './found-version.ts'
import type { Observations } from './observations.ts'

/** What a version of a certificate is held against now. */
export function checkInput(
  document: CertificateDocument,
  { now, teamHosts }: Pick<Observations, 'now' | 'teamHosts'>,
  version: VaultVersion,
): CheckInput {
  const team = teamHosts === undefined ? {} : { teamHosts }
  return { spec: document.spec, version, served: servedVersions(document), now, ...team }
}
