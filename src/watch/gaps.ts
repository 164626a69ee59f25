import { findCondition } from '../model/condition.ts'
import type { CertificateDocument, FoundDocument, MeshCaDocument } from '../model/documents.ts'
import { type FoundPlace, foundKey } from '../model/found.ts'
import { pluginPlace } from '../ports/ca-place.ts'
import { knownVersions } from './certificate-entries.ts'
import type { ReportInput } from './report.ts'

/** Something that could not be read, so that the report may lack what ends there. */
export interface Gap {
  /** `clusters/east`, `plug-in-cas/east`, `vaults/corp`, `certificates/east-ca`. */
  readonly place: string
  readonly cluster?: string
  /** CamelCase for machines: `Denied`, `Unreachable`, `NeverLooked`… */
  readonly reason: string
  readonly message: string
  /** RFC 3339: when it was seen last; absent: never. */
  readonly lookedAt?: string
}

const NAMES: Readonly<Record<FoundPlace, string>> = {
  cluster: 'clusters',
  'plug-in-ca': 'plug-in-cas',
  vault: 'vaults',
}

export function gapsIn(input: ReportInput): readonly Gap[] {
  const { found, cas, certificates, trusts } = input
  const unseen = trusts
    .filter(({ state }) => state === 'failed')
    .map(({ ca, cluster, reason, message, lookedAt }) => {
      return { place: `certificates/${ca}`, cluster, reason, message, ...(lookedAt === undefined ? {} : { lookedAt }) }
    })
  return [
    ...neverLooked(input),
    ...found.flatMap((one) => gapsOfFound(one, input)),
    ...unseen,
    ...[...cas, ...certificates].flatMap(gapsOfRegistered),
    ...certificates.flatMap((one) => unknownSerials(one, input)),
  ]
}

function neverLooked({ clusters, cas, found }: ReportInput): readonly Gap[] {
  const looked = new Set(found.map(foundKey))
  const registered = new Set(cas.map(({ spec }) => spec.cluster))
  return clusters.flatMap((cluster) => {
    const places: FoundPlace[] = ['cluster']
    if (pluginPlace(cluster) && !registered.has(cluster.name)) places.push('plug-in-ca')
    return places
      .filter((place) => !looked.has(foundKey({ place, name: cluster.name })))
      .map((place) => {
        const message = 'It has not been looked at yet: a look comes every hour.'
        return { place: `${NAMES[place]}/${cluster.name}`, cluster: cluster.name, reason: 'NeverLooked', message }
      })
  })
}

function gapsOfFound(document: FoundDocument, { clusters, cas }: ReportInput): readonly Gap[] {
  const { place, name, state, reason, message, lookedAt, left, unreadable } = document
  const isGone = place !== 'vault' && !clusters.some((cluster) => cluster.name === name)
  if (isGone || (place === 'plug-in-ca' && cas.some(({ spec }) => spec.cluster === name))) return []
  const base = {
    place: `${NAMES[place]}/${name}`,
    ...(place === 'vault' ? {} : { cluster: name }),
    ...(lookedAt === undefined ? {} : { lookedAt }),
  }
  const many = `${left} more that end later are not told of.`
  const dark = `The trust bundles of ${unreadable} namespaces hold no root that can be read.`
  return [
    ...(state === 'failed' || reason === 'SecretsMissing' ? [{ ...base, reason, message }] : []),
    ...(left > 0 ? [{ ...base, reason: 'TooMany', message: many }] : []),
    ...(unreadable > 0 ? [{ ...base, reason: 'Unreadable', message: dark }] : []),
  ]
}

/** Nothing is current, or the vault does not answer: what is told is as it was. */
function gapsOfRegistered({ name, conditions, ...rest }: MeshCaDocument | CertificateDocument): readonly Gap[] {
  const place = `certificates/${name}`
  const cluster = rest.kind === 'mesh-ca' ? { cluster: rest.spec.cluster } : {}
  const vault = findCondition(conditions, 'VaultReadable')
  const issued = findCondition(conditions, 'Issued')
  const found = vault?.status === 'False' ? vault : rest.current ? undefined : issued
  if (found) return [{ place, ...cluster, reason: found.reason, message: found.message }]
  if (rest.current) return []
  return [{ place, ...cluster, reason: 'NeverLooked', message: 'It has not been looked at yet.' }]
}

/** A Secret that holds none of the versions that are known. */
function unknownSerials(document: CertificateDocument, { deliveries }: ReportInput): readonly Gap[] {
  const known = new Set(knownVersions(document).map(({ serial }) => serial))
  const place = `certificates/${document.name}`
  return deliveries
    .filter(({ certificate, heldSerial }) => certificate === document.name && heldSerial !== undefined)
    .filter(({ heldSerial = '' }) => !known.has(heldSerial))
    .map(({ cluster, heldSerial }) => {
      const message = `The Secret on ${cluster} holds serial ${heldSerial}, of which neither end nor origin is known.`
      return { place, cluster, reason: 'UnknownSerial', message }
    })
}
