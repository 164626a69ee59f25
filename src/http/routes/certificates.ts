import * as z from 'zod'
import { completeCertificate } from '../../certificates/complete-certificate.ts'
import { deleteCertificate } from '../../certificates/delete-certificate.ts'
import { putCertificate } from '../../certificates/put-certificate.ts'
import { rotateCertificate } from '../../certificates/rotate-certificate.ts'
import { certificateSpec } from '../../model/certificate.ts'
import { entityTag } from '../../model/digest.ts'
import type { CertificateDocument, MeshCaDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { actorOf } from '../../model/identity.ts'
import { linkerdIdentitySpec, meshCaSpec } from '../../model/mesh-ca.ts'
import { durationBetween, durationMs, timestamp } from '../../model/names.ts'
import { isRotationOver } from '../../model/rotation.ts'
import { operationIds } from '../operations.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { CERTIFICATE_READ_ONLY, deliveryView, viewCertificate, viewDeliveries } from '../views/certificate-view.ts'
import { anyCertificateView, viewMeshCa } from '../views/mesh-ca-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { completeMeshCa, MESH_CA_ROUTES, patchCa, putCa, removeCa, rotateMeshCa } from './mesh-cas.ts'
import { acceptedAnswer, found, patchOwned, patchSchema } from './owned.ts'
import { afterRotatingPut, type RotatingKind, rotationAnswer } from './rotating.ts'

const common = { tag: 'Certificates', path: '/certificates/{name}' } as const
const one = { description: 'The certificate', schema: anyCertificateView }
const later = { ...one, description: 'It is stored; the end was not reached within ?wait=' }

const listQuery = pageQuery.extend({
  expiresWithin: durationBetween('0s', '3650d')
    .optional()
    .describe('Only certificates whose current version ends within this time, or that have none'),
})

const rotateBody = z
  .strictObject({
    what: z.enum(['intermediate', 'root']).optional().describe('Of a mesh CA, and only of one: required there'),
    reason: z.string().max(500).optional().describe('Why, in the words of the caller'),
  })
  .meta({ id: 'RotateRequest' })

const completeBody = z
  .strictObject({
    chain: z.string().min(1).max(100_000).describe('PEM: the signed certificate first, then each issuer. No key'),
    root: z
      .string()
      .max(25_000)
      .optional()
      .describe('PEM: the root, when the root of a mesh CA is rotated or the first one is made, and only then'),
  })
  .meta({ id: 'CompleteRequest' })

export const CERTIFICATE_EXAMPLE = {
  purpose: 'gateway-tls',
  dnsNames: ['web.example.com'],
  clusters: ['east'],
  secret: { namespace: 'aks-istio-ingress', name: 'web-tls' },
  issuer: { kind: 'self' },
}

/** By its purpose one or the other. */
const anySpec = z.discriminatedUnion('purpose', [certificateSpec, meshCaSpec, linkerdIdentitySpec])

const PUT_FAILURES = [
  'Deleting',
  'Conflict',
  'WriteConflict',
  'UnknownReference',
  'InvalidCombination',
  'UnsupportedFeature',
] as const

export const CERTIFICATE_ROUTES: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/certificates',
    operationId: 'listCertificates',
    summary: 'List certificates',
    access: 'any',
    query: listQuery,
    answers: {
      200: { description: 'One page; with expiresWithin it may hold fewer', schema: listOf(anyCertificateView) },
    },
    handle: list,
  }),
  route({
    ...common,
    method: 'GET',
    operationId: 'getCertificate',
    summary: 'Show a certificate',
    description: 'While phase is awaiting-issuer, rotation.csr is what the CA has to sign.',
    access: 'any',
    answers: { 200: one },
    failures: ['NotFound'],
    async handle({ deps, params: { name = '' } }) {
      const stored = (await deps.store.read('certificate', name)) ?? (await deps.store.read('mesh-ca', name))
      return found('certificate', name, stored?.value, (document) => ({
        status: 200,
        json: viewAny(document),
        etag: entityTag(name, document.spec),
      }))
    },
  }),
  route({
    ...common,
    method: 'PUT',
    operationId: 'putCertificate',
    summary: 'Register or replace a certificate',
    description:
      'A version is made or found in the vault, checked, and brought to every cluster; later ones before it ends. With ?wait= the answer comes when every cluster holds it, or when it failed or waits for a person.',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: { schema: anySpec, readOnly: CERTIFICATE_READ_ONLY, example: CERTIFICATE_EXAMPLE },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 201: { ...one, description: 'The new certificate' }, 202: later },
    failures: PUT_FAILURES,
    async handle(call) {
      const { deps, params, body, context } = call
      if (body.purpose === 'mesh-ca' || body.purpose === 'linkerd-identity') return putCa(call, body)
      return afterRotatingPut(call, kindOf(call), await putCertificate(deps, params.name ?? '', body, context))
    },
  }),
  route({
    ...common,
    method: 'PATCH',
    operationId: 'patchCertificate',
    summary: 'Change a certificate',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: {
      schema: patchSchema,
      media: 'merge',
      readOnly: CERTIFICATE_READ_ONLY,
      example: { renewBefore: '720h' },
    },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 202: later },
    failures: ['NotFound', ...PUT_FAILURES],
    handle: patch,
  }),
  route({
    ...common,
    method: 'DELETE',
    operationId: 'deleteCertificate',
    summary: 'Remove a certificate',
    description: 'What Meshwright wrote is taken from every cluster. What is in the vault stays.',
    access: ['Mesh.Operator'],
    query: waitQuery,
    conditional: true,
    answers: { 202: { description: 'It is being removed from clusters' }, 204: { description: 'It is gone' } },
    failures: ['NotFound', 'InUse', 'Conflict', 'WriteConflict'],
    handle: remove,
  }),
  route({
    ...common,
    method: 'POST',
    path: '/certificates/{name}/rotate',
    operationId: 'rotateCertificate',
    summary: 'Rotate a certificate now',
    description:
      'A rotation that is live already is answered with itself. Of a mesh CA, what says which: the intermediate under the same root, or the root with it, which takes two workload TTLs and more.',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: { schema: rotateBody.optional(), optional: true, example: { reason: 'the key may be known to others' } },
    repeatable: true,
    answers: { 200: { ...one, description: 'The rotation is over' }, 202: { ...one, description: 'It is under way' } },
    failures: ['NotFound', 'Deleting', 'Conflict', 'InvalidCombination', 'UnsupportedFeature', 'WriteConflict'],
    handle: rotate,
  }),
  route({
    ...common,
    method: 'POST',
    path: '/certificates/{name}/complete',
    operationId: 'completeCertificate',
    summary: 'Hand in what an external CA signed',
    description: 'The chain is checked against the CSR and everything that a version must be, then given to the vault.',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: { schema: completeBody, example: { chain: '-----BEGIN CERTIFICATE-----\n…' } },
    answers: { 200: { ...one, description: 'The rotation is over' }, 202: { ...one, description: 'It is under way' } },
    failures: ['NotFound', 'Conflict', 'InvalidCombination', 'WriteConflict'],
    handle: complete,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/certificates/{name}/deliveries',
    operationId: 'listDeliveries',
    summary: 'Show a certificate on each of its clusters',
    access: 'any',
    answers: { 200: { description: 'One entry a cluster', schema: z.object({ value: z.array(deliveryView) }) } },
    failures: ['NotFound'],
    async handle({ deps, params: { name = '' } }) {
      const document = (await deps.store.read('certificate', name))?.value
      const deliveries = document ? await deps.store.all('delivery', { prefix: `${name}/` }) : []
      return found('certificate', name, document, (value) => ({
        status: 200,
        json: { value: viewDeliveries(value, deliveries) },
      }))
    },
  }),
  ...MESH_CA_ROUTES,
]

async function list({ deps, request, query }: Call<unknown, z.infer<typeof listQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const place = after.value === undefined ? {} : { after: after.value }
  const wanted = { limit: limitOf(query), ...place }
  const pages = await Promise.all([deps.store.list('certificate', wanted), deps.store.list('mesh-ca', wanted)])
  const page = firstOf(
    pages.flatMap(({ value }) => value.map(({ value }) => value)),
    limitOf(query),
  )
  const isMore = page.rest > 0 || pages.some(({ next }) => next !== undefined)
  const before =
    query.expiresWithin === undefined ? undefined : timestamp(deps.clock.now() + durationMs(query.expiresWithin))
  const views = page.value
    .filter((document) => before === undefined || endOf(document) <= before)
    .map((one) => viewAny(one))
  const last = page.value.at(-1)
  return pageAnswer(request, views, isMore && last ? encodePlace(last.name) : undefined)
}

/** The first of both kinds, in the order of their names. */
function firstOf(documents: readonly AnyCertificate[], limit: number) {
  const sorted = documents.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return { value: sorted.slice(0, limit), rest: sorted.length - limit }
}

type AnyCertificate = CertificateDocument | MeshCaDocument

function viewAny(document: AnyCertificate) {
  return document.kind === 'mesh-ca' ? viewMeshCa(document) : viewCertificate(document)
}

/** When the first of what is current ends; the least of all where there is nothing yet. */
function endOf(document: AnyCertificate): string {
  if (document.kind === 'certificate') return document.current?.notAfter ?? ''
  const { current } = document
  return [...(current ? [current.signer, ...current.roots] : [])].map(({ notAfter }) => notAfter).sort()[0] ?? ''
}

async function isMeshCa({ deps, params: { name = '' } }: Call<unknown, unknown>): Promise<boolean> {
  return (await deps.store.read('mesh-ca', name)) !== undefined
}

async function patch(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  if (await isMeshCa(call)) return patchCa(call)
  const { deps, params, body, context } = call
  const name = params.name ?? ''
  const outcome = await patchOwned({
    what: 'certificate',
    key: name,
    patch: body,
    schema: certificateSpec,
    context,
    read: async () => (await deps.store.read('certificate', name))?.value.spec,
    put: (spec, conditions) => putCertificate(deps, name, spec, conditions),
  })
  return afterRotatingPut(call, kindOf(call), outcome)
}

/** Nothing more comes by itself: the rotation failed, or waits for a person. */
function needsSomeone({ rotation }: CertificateDocument): boolean {
  if (!rotation) return false
  const waits = rotation.phase === 'awaiting-issuer' && rotation.chain === undefined
  return rotation.phase === 'failed' || waits || rotation.reason === 'WaitsForImport'
}

function kindOf({ deps }: Call<unknown, WaitQuery>): RotatingKind<CertificateDocument> {
  return {
    read: async (name) => (await deps.store.read('certificate', name))?.value,
    view: viewCertificate,
    isOver: ({ rotation }) => rotation !== undefined && isRotationOver(rotation),
    needsSomeone,
  }
}

async function remove(call: Call<unknown, WaitQuery>): Promise<Result<Answer>> {
  if (await isMeshCa(call)) return removeCa(call)
  const { deps, params, request, query, context } = call
  const { name = '' } = params
  const started = await deleteCertificate(deps, name, context)
  if (!started.ok) return started
  if (started.value.removed) return succeed({ status: 204 })
  const read = () => deps.store.read('certificate', name)
  const left = await waitFor(deps.clock, query.wait, request.signal, read, (stored) => stored === undefined)
  if (!left) return succeed({ status: 204 })
  return succeed(acceptedAnswer(request, operationIds.certificate(name, 'delete')))
}

async function rotate(call: Call<z.infer<typeof rotateBody> | undefined, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  if (await isMeshCa(call)) return rotateMeshCa(call, orderOf(body), context)
  if (body?.what !== undefined) {
    const errors = [{ pointer: '/what', reason: 'is for a mesh CA only' }]
    return fail('InvalidCombination', 'Only of a mesh CA is a part rotated.', { errors })
  }
  const reason = body?.reason === undefined ? {} : { reason: body.reason }
  const order = { actor: actorOf(context.caller), ...reason }
  const outcome = await rotateCertificate(deps, params.name ?? '', order, context)
  return outcome.ok ? rotationAnswer(call, kindOf(call), outcome.value.document, outcome.value.rotation.id) : outcome
}

function orderOf(body: z.infer<typeof rotateBody> | undefined) {
  const { what, reason } = body ?? {}
  return { ...(what === undefined ? {} : { what }), ...(reason === undefined ? {} : { reason }) }
}

async function complete(call: Call<z.infer<typeof completeBody>, WaitQuery>): Promise<Result<Answer>> {
  if (await isMeshCa(call)) return completeMeshCa(call)
  if (call.body.root !== undefined) {
    const errors = [{ pointer: '/root', reason: 'is for a mesh CA only' }]
    return fail('InvalidCombination', 'Only a mesh CA brings its root.', { errors })
  }
  const { deps, params, body, context } = call
  const outcome = await completeCertificate(deps, params.name ?? '', body.chain, context)
  return outcome.ok ? rotationAnswer(call, kindOf(call), outcome.value, outcome.value.rotation?.id ?? '') : outcome
}
