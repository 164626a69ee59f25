import type { AuditRecord } from '../../../src/model/audit.ts'
import type { AnyDocument } from '../../../src/model/documents.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import type { EmulatedCluster } from '../../../src/sandbox/emulated-cluster.ts'
import type { EmulatorRequest, EmulatorResponse } from '../../../src/sandbox/emulators/emulator.ts'
import type { KeptMessage } from '../../../src/sandbox/emulators/kept-messages.ts'
import type { CertificateRecord, KeyRecord, SecretRecord } from '../../../src/sandbox/emulators/key-vault/records.ts'
import type { Acting, Invocation } from '../network.ts'
import type { Trace } from '../trace.ts'
import type { VirtualTime } from '../virtual-time.ts'
import type { Receivers } from '../webhook-receivers.ts'
import { OTHER_PKCS8 } from '../wrong-secrets.ts'
import { type CertificateWatch, watchCertificates } from './certificates.ts'
import { type ChatWatch, watchChats } from './chats.ts'
import { type DocumentWatch, idOf, watchDocuments } from './documents.ts'
import { watchHolds } from './holds.ts'
import { type MeshCaWatch, watchMeshCas } from './mesh-cas.ts'
import { type ObjectWatch, watchObjects } from './objects.ts'
import { type RecordWatch, watchRecords } from './records.ts'
import { searchSecrets } from './secrets.ts'
import { watchEndpoints } from './seen-endpoints.ts'
import { type TrustWatch, watchTrust } from './trust.ts'
import { watchWebhooks } from './webhooks.ts'

/** Sees every write and every answer, and says what must never be. */
export interface Watch {
  /** What was broken, the first first. */
  readonly broken: readonly string[]
  broke(what: string): void
  readonly documents: DocumentWatch
  readonly objects: ObjectWatch
  readonly certificates: CertificateWatch
  readonly chats: ChatWatch
  /** What people were told of objects that belong to no service. */
  readonly orphansTold: readonly string[]
  readonly records: RecordWatch
  /** Phases that rollouts have been in. */
  readonly phases: ReadonlySet<string>
  /** Ids of events that were kept, without their type; a transition's is `ROLLOUT:TIME.FROM.TO`. */
  readonly events: ReadonlySet<string>
  /** The names of the documents written so far, in order, by whom ever. */
  readonly documentWrites: readonly string[]
  written(table: string, key: string, value: unknown, text: string): void
  clusters(clusters: ReadonlyMap<string, EmulatedCluster>): void
  receivers(receivers: Receivers): void
  sent(acting: Acting, request: EmulatorRequest): void
  answered(acting: Acting, request: EmulatorRequest, response: EmulatorResponse): void
  logged(line: string): void
  /** The text of an answer that a caller of the app got. */
  answeredCaller(text: string): void
  ended(invocation: Invocation, durationMs: number): void
  readonly trust: TrustWatch
  readonly meshCas: MeshCaWatch
  /** A key pair was made: its private half must be seen nowhere. PEM. */
  keyMade(pem: string): void
}

/** The part of a kept event that tells which one it is, and what orphans it names. */
interface Event {
  readonly id: string
  readonly type: string
  readonly data: { readonly message: string }
}

export interface WatchOptions {
  readonly time: VirtualTime
  /** How far the clocks of processes may be from the true time. */
  readonly skewMs: number
  readonly trace: Trace
  readonly secrets: readonly string[]
  readonly acting: () => Acting | undefined
}

/** No call of the app makes more requests, however the world behaves. `?wait=` looks again and again. */
const MOST_REQUESTS = 300
/** Azure stops a call after ten minutes. */
const LONGEST_CALL_MS = 600_000

export function createWatch({ time, skewMs, trace, secrets, acting }: WatchOptions): Watch {
  const broken: string[] = []
  const broke = (what: string) => {
    trace.add(`BROKEN ${what}`)
    broken.push(what)
  }
  const seen = watchEndpoints(time.now)
  const holds = watchHolds(time.now, 2 * skewMs)
  const webhooks = watchWebhooks(broke)
  const since = () => acting()?.invocation?.startedAt ?? time.now()
  const kubernetes = new Map<string, EmulatedCluster['kubernetes']>()
  const live = (cluster: string, kind: string, namespace: string, name: string) =>
    kubernetes.get(cluster)?.get('networking.istio.io/v1', kind, namespace, name) as unknown as KubeObject | undefined
  const documents = watchDocuments(broke, {
    now: () => time.now() + 2 * skewMs,
    since,
    holds,
    webhooks,
    counted: new Map(),
    leftOn: (cluster, service, rollout) => objects.leftOf(cluster, service, rollout),
  })
  const certificates = watchCertificates(broke)
  const chats = watchChats(broke, documents)
  const meshCas = watchMeshCas(broke, documents)
  const frozen = (service: string, cluster: string) => holds.frozen(service, cluster, since())
  const objects: ObjectWatch = watchObjects({ broke, documents, seen, certificates, acting, live, frozen })
  const records = watchRecords(broke, documents)
  const orphansTold: string[] = []
  const search = searchSecrets(secrets)
  search.addKey(OTHER_PKCS8)
  const places = new Map<string, string>()
  const documentWrites: string[] = []
  const events = new Set<string>()
  const phases = new Set<string>()
  const mustHoldNoSecret = (where: string, text: string) => {
    if (search.isIn(text)) broke(`${where} holds a secret`)
  }
  return {
    broken,
    broke,
    documents,
    objects,
    certificates,
    chats,
    records,
    orphansTold,
    documentWrites,
    events,
    phases,
    written(table, key, value, text) {
      if (mayBeSeen(table)) mustHoldNoSecret(`${table} ${key}`, text)
      if (table === 'key-vault-certificates' && value !== undefined) {
        const record = value as CertificateRecord
        for (const { key: made } of [...record.versions, ...(record.pending ? [record.pending] : [])])
          search.addKey(made.pkcs8)
        certificates.vaultWritten(record)
      }
      if (table === 'key-vault-secrets' && value !== undefined) {
        for (const version of (value as SecretRecord).versions) search.addPem(version.value)
        meshCas.secretWritten(value as SecretRecord, time.now())
      }
      if (table === 'key-vault-keys' && value !== undefined) {
        for (const { key: made } of (value as KeyRecord).versions) search.addKey(made.pkcs8)
      }
      if (table.startsWith('chat-') && value !== undefined) chats.arrived(table, value as KeptMessage)
      if (!table.startsWith('cosmos/')) return
      const item = (value as { document?: AnyDocument & { event?: Event; record?: AuditRecord } } | undefined)?.document
      if (item?.record) records.auditKept(item.record)
      if (item?.event?.type.endsWith('cluster.orphans')) orphansTold.push(item.event.data.message)
      if (item?.event) events.add(item.event.id.replace(/^[^:]+:/, ''))
      const document: AnyDocument | undefined = item
      const place = document?.kind === undefined ? places.get(`${table} ${key}`) : idOf(document)
      if (place === undefined) return
      places.set(`${table} ${key}`, place)
      documentWrites.push(place)
      const invocation = acting()?.invocation
      if (invocation?.mustNotWrite) broke(`${invocation.name} came again and wrote ${place}`)
      trace.add(`document ${place}: ${changedFields(documents.get(place), document)}`)
      const before = documents.get(place)
      documents.written(place, document)
      if (!document) return
      if (document.kind === 'service') for (const { phase } of document.rollouts) phases.add(phase)
      if (document.kind === 'rollout') phases.add(document.rollout.phase)
      certificates.documentWritten(before, document)
      meshCas.documentWritten(before, document)
      records.documentWritten(before, document)
    },
    clusters(clusters) {
      for (const { name, kubernetes: cluster } of clusters.values()) {
        kubernetes.set(name, cluster)
        cluster.onWrite((write) => {
          mustHoldNoSecret(`the metadata of an object on ${name}`, JSON.stringify(write.object.metadata))
          objects.written(name, write)
        })
      }
    },
    receivers: webhooks.listen,
    sent(acting, request) {
      webhooks.sent(acting, request)
      meshCas.sent(acting, request)
      if (acting.system !== 'vault' && !request.url.pathname.includes('/secrets'))
        mustHoldNoSecret(`a request to ${acting.system}`, new TextDecoder().decode(request.body))
    },
    answered(acting, request, response) {
      seen.answered(acting, request, response)
      webhooks.answered(acting, request, response)
    },
    logged(line) {
      mustHoldNoSecret('a log', line)
      trace.add(`log ${line}`)
    },
    answeredCaller: (text) => mustHoldNoSecret('an answer', text),
    trust: watchTrust(broke),
    meshCas,
    keyMade: search.addPem,
    ended({ name, requests }, durationMs) {
      if (requests > MOST_REQUESTS) broke(`${name} made ${requests} requests`)
      if (durationMs > LONGEST_CALL_MS) broke(`${name} took ${durationMs / 1000} s`)
    },
  }
}

/** Tables other than the vault's own, and than Secrets of clusters. */
function mayBeSeen(table: string): boolean {
  return /^(cosmos|queue)\/|^chat-/.test(table) || (table.startsWith('kubernetes-') && !table.endsWith('/secrets'))
}

/** Names of the fields that differ, or what happened to the whole document. */
function changedFields(before: AnyDocument | undefined, after: AnyDocument | undefined): string {
  if (!after) return 'removed'
  if (!before) return 'created'
  const fields = (document: AnyDocument) => document as unknown as Readonly<Record<string, unknown>>
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !name.startsWith('_'))
  return names.filter((name) => JSON.stringify(fields(before)[name]) !== JSON.stringify(fields(after)[name])).join(' ')
}
