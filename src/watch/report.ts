import type {
  CertificateDocument,
  ClusterDocument,
  DeliveryDocument,
  FoundDocument,
  MeshCaDocument,
  TrustDocument,
} from '../model/documents.ts'
import { type Draft, entriesOfCertificate } from './certificate-entries.ts'
import { entriesOfFound } from './found-entries.ts'
import { type Gap, gapsIn } from './gaps.ts'
import { entriesOfCa } from './mesh-ca-entries.ts'
import { registeredAuthorities } from './registered.ts'
import { ttlsOf, type WorkloadTtl } from './workload-ttl.ts'

export const REPORT_KINDS = [
  'gateway-tls',
  'workload-tls',
  'mesh-root',
  'mesh-signer',
  'trust-anchor',
  'linkerd-issuer',
  'vault-certificate',
] as const
export type ReportKind = (typeof REPORT_KINDS)[number]

/** Who makes the next: Meshwright; an istiod that signs with a root of its own; people; nobody knows. */
export const RENEWERS = ['meshwright', 'istiod', 'hand', 'unknown'] as const
export type Renewer = (typeof RENEWERS)[number]

/** Where a certificate was found. */
export interface Place {
  /** `vault`: an object of a vault. `cluster`: a Secret there. `bundle`: what proxies of a cluster trust. */
  readonly where: 'vault' | 'cluster' | 'bundle'
  readonly object: string
  readonly vault?: string
  readonly cluster?: string
  readonly namespaces?: number
  readonly examples?: readonly string[]
  /** RFC 3339: when it was seen there last; absent: as the document of its registration has it. */
  readonly lookedAt?: string
  /** Of meshes: how long certificates of workloads last there. */
  readonly workloadTtl?: WorkloadTtl
}

/** Something that ends. */
export interface Entry extends Draft {
  readonly id: string
  readonly daysLeft: number
  readonly clusters: readonly string[]
  readonly namespaces: number
}

export interface Report {
  /** What ends first comes first. */
  readonly entries: readonly Entry[]
  /** What could not be read, and why. */
  readonly gaps: readonly Gap[]
}

export interface ReportInput {
  readonly clusters: readonly ClusterDocument[]
  readonly certificates: readonly CertificateDocument[]
  readonly cas: readonly MeshCaDocument[]
  readonly deliveries: readonly DeliveryDocument[]
  readonly trusts: readonly TrustDocument[]
  readonly found: readonly FoundDocument[]
  readonly vaultUrl?: string | undefined
}

const DAY_MS = 86_400_000

/** Everything that can end, each once, with every place where it was found. Pure. `now` is epoch milliseconds. */
export function buildReport(input: ReportInput, now: number): Report {
  const { clusters, certificates, cas, deliveries, found, vaultUrl } = input
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster]))
  const ttls = ttlsOf(clusters, cas)
  const registered = registeredAuthorities(cas)
  const drafts = [
    ...certificates.flatMap((one) =>
      entriesOfCertificate(
        one,
        deliveries.filter(({ certificate }) => certificate === one.name),
        vaultUrl,
      ),
    ),
    ...cas.flatMap((ca) => entriesOfCa(ca, byName.get(ca.spec.cluster), vaultUrl)),
    ...found.flatMap((one) => entriesOfFound(one, byName.get(one.name), registered, cas)),
  ]
  const entries = mergeDrafts(drafts)
    .map(([id, draft]) => entryOf(id, withTtls(draft, ttls), now))
    .toSorted((one, other) => (placeInList(one) < placeInList(other) ? -1 : 1))
  return { entries, gaps: gapsIn(input) }
}

/** By this the list is sorted, and pages begin behind it. */
export function placeInList({ notAfter, id }: Pick<Entry, 'notAfter' | 'id'>): string {
  return `${notAfter} ${id}`
}

/** One certificate that was found at several places is one entry; who registered it speaks first. */
function mergeDrafts(drafts: readonly Draft[]): readonly (readonly [string, Draft])[] {
  const merged = new Map<string, Draft>()
  for (const draft of drafts) {
    const { vault = '', object = '' } = draft.places[0] ?? {}
    const id = draft.fingerprint ?? `${vault}/${object}`
    const before = merged.get(id)
    merged.set(id, before ? { ...before, places: [...before.places, ...draft.places] } : draft)
  }
  return [...merged]
}

function withTtls(draft: Draft, ttls: ReadonlyMap<string, WorkloadTtl>): Draft {
  if (draft.kind === 'gateway-tls' || draft.kind === 'workload-tls' || draft.kind === 'vault-certificate') return draft
  const places = draft.places.map((place) => {
    const workloadTtl = place.cluster === undefined ? undefined : ttls.get(place.cluster)
    return workloadTtl ? { ...place, workloadTtl } : place
  })
  return { ...draft, places }
}

function entryOf(id: string, draft: Draft, now: number): Entry {
  const clusters = [...new Set(draft.places.flatMap(({ cluster }) => (cluster === undefined ? [] : [cluster])))].sort()
  const namespaces = draft.places.reduce((sum, place) => sum + (place.namespaces ?? 0), 0)
  const daysLeft = Math.max(0, Math.floor((Date.parse(draft.notAfter) - now) / DAY_MS))
  return { id, ...draft, daysLeft, clusters, namespaces }
}
