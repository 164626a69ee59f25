import * as z from 'zod'
import { renewsAt } from '../../certificates/found-version.ts'
import { isMadeHere } from '../../certificates/issue-policy.ts'
import { certificateSpec } from '../../model/certificate.ts'
import type { CertificateDocument, DeliveryDocument } from '../../model/documents.ts'
import { timestamp } from '../../model/names.ts'
import { isRotationOver, ROTATION_PHASES, type Rotation } from '../../model/rotation.ts'
import { actorView, conditionView, objectRef, ownedFields, READ_ONLY, time, withWarnings } from './common.ts'

const versionView = z
  .object({
    version: z.string().describe('Of Key Vault'),
    serial: z.string().describe('Lower-case hex'),
    fingerprint: z.string().describe('SHA-256, lower-case hex'),
    notBefore: time,
    notAfter: time,
    dnsNames: z.array(z.string()),
    issuer: z.string(),
  })
  .meta({ id: 'CertificateVersion' })

const rotationView = z
  .object({
    id: z.string(),
    phase: z.enum(ROTATION_PHASES),
    reason: z.string().describe('CamelCase, for machines'),
    message: z.string().describe('For people'),
    actor: actorView,
    baseVersion: z.string().optional().describe('The newest version in the vault when it began'),
    candidate: versionView.optional(),
    csr: z.string().optional().describe('PEM: to be signed by the CA, while phase is awaiting-issuer'),
    released: z.array(z.string()).describe('Clusters whose turn has come'),
    startedAt: time,
    endedAt: time.optional(),
  })
  .meta({ id: 'Rotation' })

export const certificateView = z
  .object({
    name: z.string(),
    ...certificateSpec.shape,
    ...ownedFields,
    observedGeneration: z.int().describe('Equals generation when every cluster holds what the last change wants'),
    phase: z.enum(ROTATION_PHASES).describe('Of the live rotation, or of the one that ended last'),
    serial: z.string().nullable().describe('Of the current version; null before the first'),
    notAfter: time.nullable(),
    conditions: z.array(conditionView).describe('Ready, Issued, Delivered, NearExpiry, VaultReadable'),
    current: versionView.optional().describe('Proven on every cluster that wants it'),
    renewsAt: time.optional().describe('When the next rotation starts by itself'),
    rotation: rotationView.optional(),
    history: z.array(rotationView).describe('Ended rotations, the newest first; 20 at most'),
    targets: z.record(z.string(), z.string()).describe('What each cluster is to hold: serial by cluster'),
    deletingAt: time.optional(),
  })
  .meta({ id: 'CertificateView' })
export type CertificateView = z.infer<typeof certificateView>

/** Of Linkerd's identity the namespace is what users say, and of no certificate is it part of the name. */
export const CERTIFICATE_READ_ONLY = [
  ...READ_ONLY.filter((field) => field !== 'namespace'),
  'observedGeneration',
  'phase',
  'serial',
  'notAfter',
  'conditions',
  'current',
  'renewsAt',
  'renews',
  'rotation',
  'history',
  'targets',
  'deletingAt',
]

export function viewCertificate(document: CertificateDocument, warnings: readonly string[] = []): CertificateView {
  const { name, spec, current, rotation, deletingAt } = document
  const renews = current && isMadeHere(spec) ? { renewsAt: timestamp(renewsAt(document, current)) } : {}
  const view: CertificateView = {
    name,
    ...spec,
    generation: document.generation,
    observedGeneration: document.observedGeneration,
    phase: rotation?.phase ?? 'requested',
    serial: current?.serial ?? null,
    notAfter: current?.notAfter ?? null,
    conditions: [...document.conditions],
    ...(current ? { current: viewVersion(current) } : {}),
    ...renews,
    ...(rotation ? { rotation: viewRotation(rotation) } : {}),
    history: document.history.map(viewRotation),
    targets: Object.fromEntries(Object.entries(document.targets).map(([cluster, { serial }]) => [cluster, serial])),
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    ...(deletingAt === undefined ? {} : { deletingAt }),
  }
  return withWarnings(view, warnings)
}

function viewVersion({ rotation: _rotation, ...version }: NonNullable<CertificateDocument['current']>) {
  return { ...version, dnsNames: [...version.dnsNames] }
}

function viewRotation(rotation: Rotation): z.infer<typeof rotationView> {
  const { id, phase, reason, message, actor, baseVersion, candidate, csr, released, startedAt, endedAt } = rotation
  return {
    id,
    phase,
    reason,
    message,
    actor,
    ...(baseVersion === undefined ? {} : { baseVersion }),
    ...(candidate ? { candidate: viewVersion(candidate) } : {}),
    ...(csr === undefined || isRotationOver(rotation) ? {} : { csr }),
    released: [...released],
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  }
}

export const deliveryView = z
  .object({
    cluster: z.string(),
    state: z.enum(['delivered', 'waiting', 'held', 'failed', 'leaving']),
    reason: z.string().describe('CamelCase, for machines'),
    message: z.string().describe('For people'),
    wanted: z.string().nullable().describe('Serial that the cluster is to hold; null: none'),
    held: z.string().optional().describe('Serial that the Secret was read back with'),
    shown: z.string().optional().describe('Serial that a TLS handshake with the gateway showed'),
    deliveredAt: time.optional(),
    objects: z.array(objectRef).describe('What Meshwright has written there'),
  })
  .meta({ id: 'Delivery' })

/** Every cluster where the certificate is to be or still is, in the order of names. */
export function viewDeliveries(document: CertificateDocument, deliveries: readonly DeliveryDocument[]) {
  const { clusters, targets, leaving } = document
  const names = [...new Set([...clusters, ...Object.keys(targets), ...leaving])].sort()
  return names.map((cluster): z.infer<typeof deliveryView> => {
    const delivery = deliveries.find((other) => other.cluster === cluster)
    const wanted = targets[cluster]?.serial ?? null
    if (!delivery) {
      const message = wanted === null ? 'It waits for a version.' : 'It is on its way.'
      return { cluster, state: 'waiting', reason: 'NotBegun', message, wanted, objects: [] }
    }
    const { state, reason, message, heldSerial, shownSerial, deliveredAt } = delivery
    return {
      cluster,
      state,
      reason,
      message,
      wanted,
      ...(heldSerial === undefined ? {} : { held: heldSerial }),
      ...(shownSerial === undefined ? {} : { shown: shownSerial }),
      ...(deliveredAt === undefined ? {} : { deliveredAt }),
      objects: delivery.objects.map(({ apiVersion, kind, namespace, name }) => ({ apiVersion, kind, namespace, name })),
    }
  })
}
