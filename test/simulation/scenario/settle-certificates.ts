import { CERTIFICATE, CERTIFICATE_VERSION } from '../../../src/mesh/marks.ts'
import { findCondition } from '../../../src/model/condition.ts'
import { type AnyDocument, type CertificateDocument, keyOf } from '../../../src/model/documents.ts'
import { isRotationOver } from '../../../src/model/rotation.ts'
import { GATEWAY_NAMESPACE } from '../gateways.ts'
import type { Simulation } from '../simulation.ts'

/** What of a certificate or a delivery goes on by itself; empty while it rests, or waits for a person. */
export function certificateLeft(document: AnyDocument): readonly string[] {
  const what = `${document.kind} ${keyOf(document)}`
  if (document.kind === 'certificate') {
    const { rotation, leaving, deletingAt, conditions, dueAt } = document
    // It is looked at again, the later the longer the vault gave no answer, and may then find what others made.
    const blind = findCondition(conditions, 'VaultReadable')?.status === 'False' && dueAt !== undefined
    const moves = rotation && !isRotationOver(rotation) && !waitsForPerson(rotation)
    return [
      ...(blind ? [`${what} waits for the vault`] : []),
      ...(moves ? [`${what} is ${rotation.phase}: ${rotation.reason} ${rotation.message}`] : []),
      ...(leaving.length > 0 || deletingAt !== undefined ? [`${what} is leaving ${leaving.join(', ')}`] : []),
    ]
  }
  if (document.kind !== 'delivery' || document.state === 'delivered' || document.state === 'held') return []
  return [`${what} is ${document.state}: ${document.reason} ${document.message}`]
}

/** A CA has to sign, or an operation of another hand stands in the way. */
export function waitsForPerson({ phase, chain, reason }: NonNullable<CertificateDocument['rotation']>): boolean {
  return (
    (phase === 'awaiting-issuer' && chain === undefined) || (phase === 'requested' && reason === 'OperationPending')
  )
}

/** What documents say of certificates is so on clusters, and nothing of ours is where none asks for it. */
export function checkCertificates(simulation: Simulation): void {
  const { watch, surroundings } = simulation
  const documents = watch.documents.all().filter((document) => document.kind === 'certificate')
  for (const document of documents) {
    for (const cluster of document.clusters) {
      const why = wrongOn(simulation, document, cluster)
      if (why !== undefined) watch.broke(`certificate ${document.name} on ${cluster}: ${why}`)
    }
  }
  for (const { name: cluster, kubernetes } of surroundings.clusters.values()) {
    for (const { metadata } of kubernetes.list('v1', 'Secret', GATEWAY_NAMESPACE)) {
      const of = metadata.annotations?.[CERTIFICATE]
      if (metadata.labels?.['app.kubernetes.io/managed-by'] !== 'meshwright' || of === undefined) continue
      // What was written under a former name stays while the certificate is there, and is on its list.
      const delivery = watch.documents.get(`delivery/${of}/${cluster}`)
      const listed = delivery?.kind === 'delivery' && delivery.objects.some(({ name }) => name === metadata.name)
      if (!listed) watch.broke(`Secret ${metadata.name} on ${cluster} belongs to no certificate`)
    }
  }
  for (const document of watch.documents.all()) {
    if (document.kind !== 'delivery') continue
    const owner = documents.find(({ name }) => name === document.certificate)
    if (!owner?.clusters.includes(document.cluster)) watch.broke(`delivery ${keyOf(document)} is left over`)
  }
}

function wrongOn({ watch, surroundings }: Simulation, document: CertificateDocument, cluster: string) {
  const { current, targets, rotation, spec, name } = document
  const target = targets[cluster]
  const ready = findCondition(document.conditions, 'Ready')
  if (!target) {
    const isExplained = rotation && (rotation.phase === 'failed' || waitsForPerson(rotation))
    return isExplained ? undefined : `it has no version: ${ready?.reason} ${ready?.message}`
  }
  const delivery = watch.documents.get(`delivery/${name}/${cluster}`)
  if (delivery?.kind !== 'delivery') return 'there is no delivery'
  if (delivery.state === 'held') return undefined
  const live = surroundings.clusters.get(cluster)?.kubernetes.get('v1', 'Secret', GATEWAY_NAMESPACE, spec.secret.name)
  const version = live?.metadata.annotations?.[CERTIFICATE_VERSION]
  if (version !== target.version) return `the Secret holds ${version}, wanted is ${target.version}`
  if (delivery.state !== 'delivered') return `it is ${delivery.state}: ${delivery.reason}`
  const isOver = rotation === undefined || isRotationOver(rotation)
  if (isOver && rotation?.phase !== 'failed' && current?.version !== target.version) return 'another version is current'
  return undefined
}

/** What people asked for was done once, and is on record; every notification came to its channels. */
export function checkCalls({ watch, network, fleet, surroundings }: Simulation): void {
  watch.records.checkSettled(surroundings.azure !== undefined)
  watch.chats.checkSettled(network.disturbed() || fleet.deaths() > 0)
  const asked = [...watch.certificates.rotations].filter(([, reason]) => reason === 'Asked')
  for (const [rotation] of asked) {
    const records = watch.records.audits.filter(({ action, after }) => {
      return action === 'certificate.rotate' && (after as { readonly rotation?: string }).rotation === rotation
    })
    if (records.length !== 1) watch.broke(`rotation ${rotation} was asked for, and has ${records.length} audit records`)
  }
  for (const document of watch.documents.all()) {
    if (document.kind !== 'command') continue
    if (document.state !== 'done') watch.broke(`command "${document.text}" is still waiting`)
    const effects = watch.records.audits.filter(({ requestId }) => requestId === document.name)
    if (effects.length > 1) watch.broke(`command "${document.text}" has ${effects.length} effects`)
  }
}
