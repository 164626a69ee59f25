import type { CertificateVersion } from '../model/certificate.ts'
import type { CertificateDocument, DeliveryDocument } from '../model/documents.ts'
import { vaultName } from '../model/found.ts'
import type { Place, Renewer, ReportKind } from './report.ts'

/** Something that ends, before what was found at other places is laid together with it. */
export interface Draft {
  readonly kind: ReportKind
  readonly subject?: string
  readonly dnsNames?: readonly string[]
  readonly serial?: string
  readonly fingerprint?: string
  /** RFC 3339. */
  readonly notBefore?: string
  readonly notAfter: string
  /** Name of the certificate or mesh CA; absent: nobody registered it. */
  readonly registeredAs?: string
  readonly renewedBy: Renewer
  readonly places: readonly Place[]
}

/** What is current of a registered certificate, and every older version that a cluster still holds. */
export function entriesOfCertificate(
  document: CertificateDocument,
  deliveries: readonly DeliveryDocument[],
  vaultUrl: string | undefined,
): readonly Draft[] {
  const { name, spec, current } = document
  const url = spec.vault ?? vaultUrl
  const object = `certificate ${spec.vaultName ?? name}`
  const atVault: Place = { where: 'vault', object, ...(url === undefined ? {} : { vault: vaultName(url) }) }
  return knownVersions(document).flatMap((version) => {
    const held = deliveries.filter(({ heldSerial }) => heldSerial === version.serial)
    const places = [...(version === current ? [atVault] : []), ...held.map((one) => placeOf(document, one))]
    return places.length === 0 ? [] : [draftOf(document, version, places)]
  })
}

/** Versions of which the document tells, each once, what is current first. */
export function knownVersions({ current, rotation, history }: CertificateDocument): readonly CertificateVersion[] {
  const all = [current, rotation?.candidate, ...history.map(({ candidate }) => candidate)]
  const known = new Map<string, CertificateVersion>()
  for (const version of all) if (version && !known.has(version.version)) known.set(version.version, version)
  return [...known.values()]
}

function placeOf({ spec }: CertificateDocument, { cluster }: DeliveryDocument): Place {
  const { namespace, name } = spec.secret
  return { where: 'cluster', cluster, object: `Secret ${namespace}/${name}` }
}

function draftOf({ name, spec }: CertificateDocument, version: CertificateVersion, places: readonly Place[]): Draft {
  const { serial, fingerprint, notBefore, notAfter, dnsNames } = version
  const renewedBy = spec.issuer.kind === 'imported' ? 'hand' : 'meshwright'
  return {
    kind: spec.purpose === 'workload-tls' ? 'workload-tls' : 'gateway-tls',
    ...{ dnsNames, serial, fingerprint, notBefore, notAfter, registeredAs: name, renewedBy, places },
  }
}
