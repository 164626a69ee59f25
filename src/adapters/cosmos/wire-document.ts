import {
  type AnyDocument,
  type DocumentKind,
  type DocumentOf,
  keyOf,
  nameSpaceOf,
  partitionOf,
} from '../../model/documents.ts'
import type { Stored } from '../../ports/store.ts'
import { safeId } from './safe-id.ts'

/** A document as Cosmos DB keeps it: what the store adds for itself, and everything that the document holds. */
export type WireDocument = AnyDocument & {
  readonly id: string
  readonly pk: string
  readonly key: string
  /** Present while the outbox holds something: the sweep finds it by an index instead of reading every document. */
  readonly unrelayed?: true
  readonly _etag?: string
}

const OURS = new Set(['id', 'pk', 'key', 'unrelayed', '_rid', '_self', '_etag', '_attachments', '_ts'])

type Fields<D> = { readonly [field in keyof Required<D>]: true }
const base = {
  schema: true,
  outbox: true,
  dueAt: true,
  ttl: true,
  createdAt: true,
  updatedAt: true,
  kind: true,
} as const
const owned = { ...base, name: true, spec: true, generation: true, idempotency: true } as const

/** The fields of each kind that this code knows; the compiler holds the table to the model. */
const KNOWN: { readonly [K in DocumentKind]: Fields<DocumentOf[K]> } = {
  cluster: {
    ...owned,
    observedGeneration: true,
    conditions: true,
    mesh: true,
    aks: true,
    kubernetesVersion: true,
    probedAt: true,
    attempts: true,
    deletingAt: true,
    orphan: true,
  },
  service: {
    ...owned,
    namespace: true,
    renderRevision: true,
    targets: true,
    leaving: true,
    rollouts: true,
    retired: true,
    layers: true,
    overridesOn: true,
    policyRevision: true,
    spread: true,
    lastEnded: true,
    deletingAt: true,
  },
  placement: {
    ...base,
    service: true,
    cluster: true,
    observedGeneration: true,
    liveRevision: true,
    appliedRevision: true,
    writtenRevision: true,
    liveAt: true,
    weights: true,
    sideRoutes: true,
    weightsLive: true,
    routes: true,
    rung: true,
    versions: true,
    conditions: true,
    preflight: true,
    objects: true,
    restores: true,
    driftedAt: true,
    removedAt: true,
    scaledDown: true,
    attempts: true,
    pruned: true,
  },
  rollout: { ...base, service: true, rollout: true },
  team: owned,
  freeze: owned,
  strategy: owned,
  certificate: {
    ...owned,
    observedGeneration: true,
    conditions: true,
    current: true,
    rotation: true,
    history: true,
    clusters: true,
    targets: true,
    leaving: true,
    revision: true,
    warned: true,
    deletingAt: true,
  },
  policy: {
    ...owned,
    observedGeneration: true,
    conditions: true,
    saidAt: true,
    spread: true,
    reach: true,
    deletingAt: true,
  },
  delivery: {
    ...base,
    certificate: true,
    cluster: true,
    state: true,
    reason: true,
    message: true,
    written: true,
    writtenAt: true,
    heldSerial: true,
    shownSerial: true,
    deliveredAt: true,
    objects: true,
    restores: true,
    attempts: true,
  },
  'mesh-ca': {
    ...owned,
    observedGeneration: true,
    conditions: true,
    current: true,
    rotation: true,
    history: true,
    revision: true,
    anchors: true,
    place: true,
    rootKeys: true,
    warned: true,
    deletingAt: true,
  },
  trust: {
    ...base,
    ca: true,
    cluster: true,
    state: true,
    reason: true,
    message: true,
    lookedAt: true,
    bundles: true,
    without: true,
    pods: true,
    istiod: true,
    anchors: true,
    controlPlane: true,
    issuerEvent: true,
    issuanceLifetimeMs: true,
    delivered: true,
    found: true,
    restores: true,
    failures: true,
    words: true,
    leaves: true,
    leavesRound: true,
    restarts: true,
    attempts: true,
  },
  found: {
    ...base,
    place: true,
    name: true,
    state: true,
    reason: true,
    message: true,
    lookedAt: true,
    certificates: true,
    left: true,
    unreadable: true,
    warned: true,
    attempts: true,
  },
  turn: { ...base, name: true, ca: true, cluster: true, rotation: true, at: true },
  host: {
    ...base,
    gateway: true,
    host: true,
    holders: true,
    generation: true,
    renderRevision: true,
    leaving: true,
  },
  notification: { ...base, name: true, event: true, sends: true },
  command: {
    ...base,
    name: true,
    text: true,
    from: true,
    caller: true,
    sender: true,
    origin: true,
    replyTo: true,
    state: true,
    answer: true,
    owed: true,
    attempts: true,
  },
}

/** Where a document lies. Item ids are unique within a partition. */
export function placeOf(kind: DocumentKind, key: string): { id: string; pk: string } {
  return { id: safeId(`${nameSpaceOf(kind)}/${key}`), pk: partitionOf(kind, key) }
}

export function toWire(document: AnyDocument): WireDocument {
  const key = keyOf(document)
  const waiting = document.outbox.length > 0 ? { unrelayed: true as const } : {}
  return { ...document, ...placeOf(document.kind, key), key, ...waiting }
}

export function fromWire<D extends AnyDocument>(wire: WireDocument): D {
  const value = Object.fromEntries(Object.entries(wire).filter(([field]) => !OURS.has(field)))
  return value as unknown as D
}

/**
 * `next` with the fields of `before` that this code does not know: another version of it wrote them. A known field that
 * `next` leaves out was taken away on purpose.
 */
export function keepUnknownFields<D extends AnyDocument>(before: D, next: D): D {
  const known = KNOWN[before.kind]
  const unknown = Object.entries(before).filter(([field]) => !Object.hasOwn(known, field))
  return { ...Object.fromEntries(unknown), ...next }
}

/** A stored document out of its value, ETag and the answer's session token. */
export function stored<T>(value: T, tag: string, session: string | undefined): Stored<T> {
  return { value, tag, ...(session === undefined ? {} : { session }) }
}
