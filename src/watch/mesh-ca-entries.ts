import type { ClusterDocument, MeshCaDocument } from '../model/documents.ts'
import { vaultName } from '../model/found.ts'
import type { CaCertificate } from '../model/mesh-ca.ts'
import { placeOfCa } from '../ports/ca-place.ts'
import type { Draft } from './certificate-entries.ts'

/** The roots and the signer that a registered CA holds in its vault. */
export function entriesOfCa(
  ca: MeshCaDocument,
  cluster: ClusterDocument | undefined,
  vaultUrl: string | undefined,
): readonly Draft[] {
  const { name, spec, current } = ca
  if (!current) return []
  const place = placeOfCa(ca, cluster, vaultUrl)
  const isLinkerd = spec.purpose === 'linkerd-identity'
  const draft = (kind: Draft['kind'], secret: string | undefined, one: CaCertificate): Draft => ({
    kind,
    ...{ subject: one.subject, serial: one.serial, fingerprint: one.fingerprint },
    ...{ notBefore: one.notBefore, notAfter: one.notAfter, registeredAs: name, renewedBy: 'meshwright' },
    places: [
      {
        where: 'vault',
        object: `secret ${secret ?? ''}`.trim(),
        cluster: spec.cluster,
        ...(place ? { vault: vaultName(place.vault) } : {}),
      },
    ],
  })
  return [
    draft(isLinkerd ? 'linkerd-issuer' : 'mesh-signer', place?.secrets.caCert, current.signer),
    ...current.roots.map((root) => draft(isLinkerd ? 'trust-anchor' : 'mesh-root', place?.secrets.rootCert, root)),
  ]
}
