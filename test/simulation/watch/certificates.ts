import { createPrivateKey, X509Certificate } from 'node:crypto'
import { ROTATION_TAG } from '../../../src/certificates/issue-policy.ts'
import { CERTIFICATE, CERTIFICATE_SERIAL, CERTIFICATE_VERSION, MANAGED_BY, REVISION } from '../../../src/mesh/marks.ts'
import { serialText } from '../../../src/model/certificate.ts'
import type { AnyDocument, CertificateDocument, DeliveryDocument } from '../../../src/model/documents.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import type { CertificateRecord } from '../../../src/sandbox/emulators/key-vault/records.ts'
import type { Write } from '../../../src/sandbox/emulators/kubernetes/store.ts'
import type { Acting } from '../network.ts'
import type { Broke } from './kinds.ts'

/** Key and chain as a Secret holds them. */
export type Pair = Readonly<Record<'tls.crt' | 'tls.key', string>>

/** Checks what becomes of certificates: in the vault, on clusters, in documents. */
export interface CertificateWatch {
  /** Every write of a Secret, of the app (`acting`) or of other hands. */
  secretWritten(cluster: string, write: Write, acting: Acting | undefined): void
  vaultWritten(record: CertificateRecord): void
  documentWritten(before: AnyDocument | undefined, document: AnyDocument): void
  /** The first pair that the app wrote there. */
  firstPair(cluster: string, secret: string): Pair | undefined
  /** Rotations that were seen, with why they began. */
  readonly rotations: ReadonlyMap<string, string>
  /** Certificates of which the vault has a version that nobody told the app of: it finds that when it looks next. */
  untold(): readonly string[]
}

interface Asked {
  readonly version: string
  readonly serial: string
  readonly secret: string
}

interface State {
  readonly broke: Broke
  readonly vault: Map<string, CertificateRecord>
  readonly documents: Map<string, CertificateDocument>
  /** By certificate, cluster and revision. */
  readonly asked: Map<string, Asked>
  readonly rotations: Map<string, string>
  /** By rotation: the version in the vault that bears its tag. */
  readonly made: Map<string, string>
  /** By cluster and Secret: where in the vault's order of versions the served one stands. */
  readonly served: Map<string, number>
  readonly firstPairs: Map<string, Pair>
  /** Cluster and serial of all that Secrets ever held. */
  readonly held: Set<string>
}

export function watchCertificates(broke: Broke): CertificateWatch {
  const state: State = {
    broke,
    vault: new Map(),
    documents: new Map(),
    asked: new Map(),
    rotations: new Map(),
    made: new Map(),
    served: new Map(),
    firstPairs: new Map(),
    held: new Set(),
  }
  return {
    rotations: state.rotations,
    untold: () =>
      [...state.vault.values()].flatMap(({ name, versions }) => {
        const [document, newest] = [state.documents.get(name), versions.at(-1)]
        return document && newest && !JSON.stringify(document).includes(newest.id) ? [name] : []
      }),
    firstPair: (cluster, secret) => state.firstPairs.get(`${cluster} ${secret}`),
    vaultWritten(record) {
      state.vault.set(record.name, record)
      checkVault(state, record)
    },
    documentWritten(before, document) {
      if (document.kind === 'certificate') checkDocument(state, before as CertificateDocument | undefined, document)
      if (document.kind === 'delivery') checkDelivery(state, document)
    },
    secretWritten(cluster, { verb, object, previous }, acting) {
      const after = object as unknown as KubeObject
      const before = previous as unknown as KubeObject | undefined
      const serial = verb === 'delete' ? undefined : leafOf(after)?.serial
      if (serial !== undefined) state.held.add(`${cluster} ${serial}`)
      if (!acting) return
      const { metadata } = after
      const tell = (what: string) =>
        broke(`${acting.life.name} ${verb} Secret ${metadata.namespace}/${metadata.name} on ${cluster}: ${what}`)
      if (before && !isOurs(before) && !isNamed(state, before)) tell('it belonged to others')
      if (before?.metadata.annotations?.['meshwright.io/hold'] === 'true') tell('somebody holds it')
      if (verb === 'delete') checkRemoval(state, cluster, before ?? after, tell)
      else checkSecret(state, cluster, before, after, tell)
    },
  }
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.labels?.[MANAGED_BY] === 'meshwright' && metadata.annotations?.[CERTIFICATE] !== undefined
}

/** Another hand may have taken our marks off an object of ours. */
function isNamed({ firstPairs }: State, { metadata }: KubeObject): boolean {
  return [...firstPairs.keys()].some((key) => key.endsWith(` ${metadata.name}`))
}

/** At most one version a rotation, and none that no document had asked for. */
function checkVault(state: State, { name, versions, pending }: CertificateRecord): void {
  const { broke, made, rotations } = state
  for (const { id, tags } of versions) {
    const rotation = tags[ROTATION_TAG]
    if (rotation === undefined) continue
    const known = made.get(rotation)
    if (known !== undefined && known !== id) broke(`rotation ${rotation} made two versions: ${known} and ${id}`)
    made.set(rotation, id)
  }
  const asked = pending?.tags[ROTATION_TAG]
  if (!pending || asked === undefined) return
  if (!rotations.has(asked)) broke(`the vault makes ${name} for ${asked}, which no document knows`)
  const known = made.get(asked)
  if (known !== undefined && known !== pending.id) broke(`rotation ${asked} has ${known} and makes ${pending.id}`)
}

function checkDocument(state: State, before: CertificateDocument | undefined, after: CertificateDocument): void {
  const { name, targets, current, spec, rotation, clusters } = after
  const broke = (what: string) => state.broke(`certificate ${name}: ${what}`)
  state.documents.set(name, after)
  for (const [cluster, { version, serial, revision }] of Object.entries(targets)) {
    const key = `${name} ${cluster} ${revision}`
    const known = state.asked.get(key)
    const next = { version, serial, secret: spec.secret.name }
    if (known && JSON.stringify(known) !== JSON.stringify(next)) broke(`revision ${revision} has two meanings`)
    state.asked.set(key, next)
  }
  if (rotation && !state.rotations.has(rotation.id)) state.rotations.set(rotation.id, rotation.reason)
  if (before && before.createdAt === after.createdAt) {
    if (after.revision < before.revision) broke(`revision ${before.revision} → ${after.revision}`)
    if (after.generation < before.generation) broke(`generation ${before.generation} → ${after.generation}`)
    if (after.observedGeneration < before.observedGeneration) broke('observedGeneration went down')
  }
  if (after.observedGeneration > after.generation) broke('observedGeneration is beyond generation')
  if (!current || current.serial === before?.current?.serial) return
  if (indexOf(state, name, current.version) < 0) broke(`${current.version} is current and not in the vault`)
  const without = clusters.filter((cluster) => !state.held.has(`${cluster} ${current.serial}`))
  if (without.length > 0) broke(`${current.serial} is current, and ${without.join(', ')} never held it`)
}

function checkDelivery({ broke, held }: State, { certificate, cluster, state, heldSerial, written }: DeliveryDocument) {
  if (state !== 'delivered') return
  const tell = (what: string) => broke(`certificate ${certificate} is delivered on ${cluster}: ${what}`)
  if (heldSerial === undefined || heldSerial !== written?.serial) tell(`held ${heldSerial}, wanted ${written?.serial}`)
  if (!held.has(`${cluster} ${heldSerial}`)) tell(`no Secret there ever held ${heldSerial}`)
}

function indexOf({ vault }: State, name: string, version: string): number {
  return vault.get(name)?.versions.findIndex(({ id }) => id === version) ?? -1
}

/** What the newest document wants, and has marked with its revision, is nobody's to remove: gateways would be without. */
function checkRemoval(state: State, cluster: string, removed: KubeObject, broke: Broke): void {
  const { annotations = {}, name } = removed.metadata
  const document = state.documents.get(annotations[CERTIFICATE] ?? '')
  state.served.delete(`${cluster} ${name}`)
  const target = document?.targets[cluster]
  if (!document || document.deletingAt !== undefined || !target || document.spec.secret.name !== name) return
  if (Number(annotations[REVISION]) >= target.revision) broke(`revision ${annotations[REVISION]} is wanted`)
}

function checkSecret(
  state: State,
  cluster: string,
  before: KubeObject | undefined,
  after: KubeObject,
  broke: Broke,
): void {
  const { annotations = {}, name } = after.metadata
  if (!isOurs(after)) broke('it does not bear our marks')
  const certificate = annotations[CERTIFICATE] ?? ''
  const revision = Number(annotations[REVISION])
  const last = Number(before?.metadata.annotations?.[REVISION] ?? 0)
  if (!Number.isInteger(revision) || revision < last) broke(`revision ${last} → ${revision}`)
  const asked = state.asked.get(`${certificate} ${cluster} ${revision}`)
  if (!asked || asked.secret !== name) {
    broke(`revision ${revision} of ${certificate} does not ask for it`)
    return
  }
  const pair = after.data as Pair
  const served = leafOf(after)
  if (!served || served.serial !== asked.serial) broke(`it holds ${served?.serial}, asked is ${asked.serial}`)
  const wrong = served && wrongInPair(served.chain, pair['tls.key'])
  if (wrong !== undefined) broke(wrong)
  if (annotations[CERTIFICATE_VERSION] !== asked.version) broke(`it is marked ${annotations[CERTIFICATE_VERSION]}`)
  if (annotations[CERTIFICATE_SERIAL] !== asked.serial) broke(`it is marked ${annotations[CERTIFICATE_SERIAL]}`)
  const index = indexOf(state, certificate, asked.version)
  if (index < 0) broke(`version ${asked.version} is not in the vault`)
  const place = `${cluster} ${name}`
  const latest = state.served.get(place) ?? 0
  if (index < latest) broke(`version ${index} is older than version ${latest}, which was served already`)
  state.served.set(place, Math.max(index, latest))
  if (!state.firstPairs.has(place)) state.firstPairs.set(place, pair)
}

interface Served {
  readonly serial: string
  readonly chain: readonly X509Certificate[]
}

function leafOf({ data }: KubeObject): Served | undefined {
  const text = Buffer.from((data as Partial<Pair> | undefined)?.['tls.crt'] ?? '', 'base64').toString('utf8')
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  const chain = blocks.map((block) => new X509Certificate(block))
  const [leaf] = chain
  return leaf && { serial: serialText(leaf.serialNumber), chain }
}

/** Is it a pair that a gateway can serve? Undefined: it is. */
function wrongInPair(chain: readonly X509Certificate[], key: string): string | undefined {
  const [leaf] = chain
  if (!leaf?.checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64'))))
    return 'its key belongs to another certificate'
  const loose = chain.findIndex((one, index) => {
    const issuer = chain[index + 1]
    return issuer !== undefined && !one.verify(issuer.publicKey)
  })
  return loose < 0 ? undefined : `certificate ${loose} of its chain is not signed by the next`
}
