import * as z from 'zod'
import { nextDue } from '../../mesh-ca/renewal.ts'
import { CA_PHASES, type CaRotation, isCaRotationOver } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { type CaCertificate, type CaSet, linkerdIdentitySpec, meshCaSpec } from '../../model/mesh-ca.ts'
import { timestamp } from '../../model/names.ts'
import { RESTARTABLE, type RestartProgress } from '../../model/restarts.ts'
import { caCertificateView } from './ca-certificate-view.ts'
import { certificateView } from './certificate-view.ts'
import { actorView, conditionView, ownedFields, time, withWarnings } from './common.ts'

const caSetView = z
  .object({
    signer: caCertificateView.describe('The intermediate that signs workloads'),
    roots: z.array(caCertificateView).describe('What is trusted'),
    versions: z.record(z.string(), z.string()).describe('Versions of the four secrets in the vault'),
  })
  .meta({ id: 'CaSet' })

const restartsView = z
  .object({
    underWay: z
      .array(z.object({ kind: z.enum(RESTARTABLE), namespace: z.string(), name: z.string(), since: time }))
      .describe('Being restarted'),
    done: z.int().describe('Workloads that have no Pod to be restarted any more, whoever restarted them'),
    left: z.int().describe('Workloads that have not been begun'),
    cannot: z.array(z.string()).describe('What has to be restarted by you, and why; 20 at most'),
    waiting: z.array(z.string()).describe('What is not begun for now, and why; 5 at most'),
    waitingCount: z.int().optional().describe('How many of those there are, told or not'),
    stuck: z.string().optional().describe('It is not ready in time after its restart: no other is begun'),
    held: z.object({ reason: z.string(), message: z.string() }).optional().describe('Why nothing is begun'),
  })
  .describe('How far the restarts of workloads are, while the rotation waits for proxies')
  .meta({ id: 'RestartProgress' })

const caRotationView = z
  .object({
    id: z.string(),
    what: z.enum(['intermediate', 'root']),
    phase: z.enum(CA_PHASES),
    direction: z.enum(['on', 'back']).describe('back: it was aborted, and undoes what was written'),
    reason: z.string().describe('CamelCase, for machines'),
    message: z.string().describe('For people'),
    actor: actorView,
    root: caCertificateView.optional().describe('The new root, once it is made'),
    csr: z.string().optional().describe('PEM: to be signed by the CA, while phase is awaiting-issuer'),
    restarts: restartsView.optional(),
    paused: z.object({ actor: actorView, at: time, reason: z.string().optional() }).optional(),
    writtenAt: time.optional().describe('Since when the vault holds what the phase wants'),
    takenAt: time.optional().describe('Since when the cluster was seen to have taken it'),
    startedAt: time,
    phaseSince: time,
    endedAt: time.optional(),
  })
  .meta({ id: 'CaRotation' })

const seenFields = {
  ...ownedFields,
  observedGeneration: z.int().describe('Equals generation when the vault holds a CA and nothing is on its way'),
  phase: z.enum(CA_PHASES).describe('Of the live rotation, or of the one that ended last'),
  serial: z.string().nullable().describe('Of the intermediate that signs; null before the first'),
  notAfter: time.nullable(),
  conditions: z.array(conditionView).describe('Ready, Issued, TrustSpread, Renewed, NearExpiry, VaultReadable'),
  current: caSetView.optional().describe('What the vault holds, checked'),
  renewsAt: time.optional().describe('When the next rotation starts by itself'),
  renews: z.enum(['intermediate', 'root']).optional().describe('What it rotates'),
  rotation: caRotationView.optional(),
  history: z.array(caRotationView).describe('Ended rotations, the newest first; 20 at most'),
}

const istioCaView = z.object({ name: z.string(), ...meshCaSpec.shape, ...seenFields }).meta({ id: 'MeshCaView' })

const linkerdIdentityView = z
  .object({ name: z.string(), ...linkerdIdentitySpec.shape, ...seenFields })
  .meta({ id: 'LinkerdIdentityView' })

/** The CA of a mesh, of either purpose. */
export const meshCaView = z.discriminatedUnion('purpose', [istioCaView, linkerdIdentityView])
export type MeshCaView = z.infer<typeof meshCaView>

/** What /certificates/{name} shows: by its purpose one or the other. */
export const anyCertificateView = z.union([certificateView, meshCaView])

export function viewMeshCa(document: MeshCaDocument, warnings: readonly string[] = []): MeshCaView {
  const { name, spec, current, rotation } = document
  const due = current && nextDue(document, current)
  const view: MeshCaView = {
    name,
    ...spec,
    generation: document.generation,
    observedGeneration: document.observedGeneration,
    phase: rotation?.phase ?? (current ? 'succeeded' : 'requested'),
    serial: current?.signer.serial ?? null,
    notAfter: current?.signer.notAfter ?? null,
    conditions: [...document.conditions],
    ...(current ? { current: viewSet(current) } : {}),
    ...(due ? { renewsAt: timestamp(due.at), renews: due.what } : {}),
    ...(rotation ? { rotation: viewRotation(rotation) } : {}),
    history: document.history.map(viewRotation),
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
  }
  return withWarnings(view, warnings)
}

function viewSet({ signer, roots, versions }: CaSet): z.infer<typeof caSetView> {
  return { signer: viewCaCertificate(signer), roots: roots.map(viewCaCertificate), versions: { ...versions } }
}

function viewCaCertificate({ serial, fingerprint, subject, notBefore, notAfter }: CaCertificate) {
  return { serial, fingerprint, subject, notBefore, notAfter }
}

function viewRestarts({ underWay, cannot, waiting, ...rest }: RestartProgress): z.infer<typeof restartsView> {
  return {
    underWay: underWay.map(({ kind, namespace, name, since }) => ({ kind, namespace, name, since })),
    cannot: [...cannot],
    waiting: [...waiting],
    ...rest,
  }
}

function viewRotation(rotation: CaRotation): z.infer<typeof caRotationView> {
  const { id, what, phase, direction, reason, message, actor, startedAt, phaseSince } = rotation
  const { root, csr, restarts, paused, writtenAt, takenAt, endedAt } = rotation
  return {
    id,
    what,
    phase,
    direction,
    reason,
    message,
    actor,
    ...(root ? { root: viewCaCertificate(root.certificate) } : {}),
    ...(csr === undefined || isCaRotationOver(rotation) ? {} : { csr }),
    ...(restarts ? { restarts: viewRestarts(restarts) } : {}),
    ...(paused ? { paused: { ...paused } } : {}),
    ...(writtenAt === undefined ? {} : { writtenAt }),
    ...(takenAt === undefined ? {} : { takenAt }),
    startedAt,
    phaseSince,
    ...(endedAt === undefined ? {} : { endedAt }),
  }
}
