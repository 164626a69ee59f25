import * as z from 'zod'
import { actOnCa, type CaVerb } from '../../mesh-ca/act-on-ca.ts'
import { completeCa } from '../../mesh-ca/complete-ca.ts'
import { deleteMeshCa } from '../../mesh-ca/delete-mesh-ca.ts'
import { putMeshCa } from '../../mesh-ca/put-mesh-ca.ts'
import { rotateCa } from '../../mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { type MeshCaSpec, meshCaSpec } from '../../model/mesh-ca.ts'
import type { RequestContext } from '../../model/request.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { operationIds } from '../operations.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { meshCaView, viewMeshCa } from '../views/mesh-ca-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { acceptedAnswer, patchOwned, putAnswer, settledAnswer } from './owned.ts'

/** The CA of a mesh under `/certificates/{name}`; what both purposes have is dispatched in `certificates.ts`. */

const verbBody = z
  .strictObject({ reason: z.string().max(500).optional().describe('Why, in the words of the caller') })
  .meta({ id: 'RotationVerbRequest' })

const WHAT: Readonly<Record<CaVerb, readonly [summary: string, description: string]>> = {
  pause: [
    'Pause the rotation of a mesh CA',
    'Nothing is written until it is resumed. What was written stays: every phase is safe to stay in.',
  ],
  resume: ['Resume the rotation of a mesh CA', 'It goes on where it was.'],
  abort: [
    'Take the rotation of a mesh CA back',
    'By the way that is safe in its phase, which takes as long: what may be in use stays trusted until it is not. 409 once the old root has been given up.',
  ],
}

export const MESH_CA_ROUTES: readonly Route[] = (['pause', 'resume', 'abort'] as const).map((verb) =>
  route({
    tag: 'Certificates',
    method: 'POST',
    path: `/certificates/{name}/${verb}`,
    operationId: `${verb}Rotation`,
    summary: WHAT[verb][0],
    description: `${WHAT[verb][1]} Certificates of other purposes have no such rotation: 409.`,
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: { schema: verbBody.optional(), optional: true, example: { reason: 'a release is going out' } },
    answers: {
      200: { description: verb === 'abort' ? 'It is over' : 'The mesh CA', schema: meshCaView },
      202: { description: 'It is under way', schema: meshCaView },
    },
    failures: ['NotFound', 'Conflict', 'WriteConflict'],
    handle: (call) => act(call, verb),
  }),
)

async function act(call: Call<z.infer<typeof verbBody> | undefined, WaitQuery>, verb: CaVerb): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const { name = '' } = params
  const acted = await actOnCa(deps, name, verb, body?.reason, context)
  if (!acted.ok) {
    const isOther = acted.failure.code === 'NotFound' && (await deps.store.read('certificate', name)) !== undefined
    if (!isOther) return acted
    return fail('Conflict', `${name} is no mesh CA: its rotations cannot be held or taken back.`, {
      hint: 'Its clusters keep what they hold until the next version is proven on each.',
    })
  }
  if (verb !== 'abort') return succeed({ status: 200, json: viewMeshCa(acted.value) })
  return caRotationAnswer(call, acted.value, acted.value.rotation?.id ?? '')
}

/** PUT of a mesh CA. */
export async function putCa(call: Call<unknown, WaitQuery>, spec: MeshCaSpec): Promise<Result<Answer>> {
  const { deps, params, context } = call
  return afterPut(call, await putMeshCa(deps, params.name ?? '', spec, context))
}

/** PATCH of what is a mesh CA. */
export async function patchCa(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const { name = '' } = params
  const outcome = await patchOwned({
    what: 'certificate',
    key: name,
    patch: body,
    schema: meshCaSpec,
    context,
    read: async () => (await deps.store.read('mesh-ca', name))?.value.spec,
    put: (spec, conditions) => putMeshCa(deps, name, spec, conditions),
  })
  return afterPut(call, outcome)
}

async function afterPut(
  call: Call<unknown, WaitQuery>,
  outcome: Result<PutOutcome<MeshCaDocument>>,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { document: written, warnings } = outcome.value
  const { name, spec, generation } = written
  const isDone = (seen: MeshCaDocument) => seen.observedGeneration >= generation
  const seen = await look(call, written, (document) => isDone(document) || needsSomeone(document))
  const path = `/certificates/${name}`
  const answer = putAnswer(call.request, outcome.value, { path, key: name, spec, view: viewMeshCa(seen, warnings) })
  const operation = operationIds.certificate(name, generation)
  return succeed(settledAnswer(call, answer, { operation, isDone: isDone(seen) }))
}

/** The document as it is once `done`, or when the wait is over. */
function look(
  { deps, request, query }: Call<unknown, WaitQuery>,
  written: MeshCaDocument,
  done: (document: MeshCaDocument) => boolean,
): Promise<MeshCaDocument> {
  const read = async () =>
    query.wait === undefined ? written : ((await deps.store.read('mesh-ca', written.name))?.value ?? written)
  return waitFor(deps.clock, query.wait, request.signal, read, done)
}

/** Nothing more comes by itself: the rotation failed, or waits for a person. */
function needsSomeone({ rotation, conditions }: MeshCaDocument): boolean {
  if (!rotation) return conditions.some(({ type, reason }) => type === 'Issued' && reason === 'BundleUnusable')
  const waits = rotation.phase === 'awaiting-issuer' && rotation.chain === undefined
  return rotation.phase === 'failed' || waits || rotation.paused !== undefined
}

/** DELETE of what is a mesh CA. */
export async function removeCa({ deps, params, context }: Call<unknown, WaitQuery>): Promise<Result<Answer>> {
  const removed = await deleteMeshCa(deps, params.name ?? '', context)
  return removed.ok ? succeed({ status: 204 }) : removed
}

/** POST …/rotate of what is a mesh CA. */
export async function rotateMeshCa(
  call: Call<unknown, WaitQuery>,
  order: { readonly what?: 'intermediate' | 'root'; readonly reason?: string },
  context: RequestContext,
): Promise<Result<Answer>> {
  const { what, reason } = order
  if (what === undefined) {
    const errors = [{ pointer: '/what', reason: 'is required of a mesh CA: intermediate or root' }]
    return fail('InvalidCombination', 'Say what of the mesh CA is to be rotated.', { errors })
  }
  const full = { what, ...(reason === undefined ? {} : { reason }) }
  const outcome = await rotateCa(call.deps, call.params.name ?? '', full, context)
  return outcome.ok ? caRotationAnswer(call, outcome.value.document, outcome.value.rotation.id) : outcome
}

/** POST …/complete of what is a mesh CA. */
export async function completeMeshCa(
  call: Call<{ readonly chain: string; readonly root?: string | undefined }, WaitQuery>,
): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const reply = { chain: body.chain, ...(body.root === undefined ? {} : { root: body.root }) }
  const outcome = await completeCa(deps, params.name ?? '', reply, context)
  return outcome.ok ? caRotationAnswer(call, outcome.value, outcome.value.rotation?.id ?? '') : outcome
}

/** 200 when the rotation is over, 202 while it goes on or waits for its CA. */
async function caRotationAnswer(
  call: Call<unknown, WaitQuery>,
  document: MeshCaDocument,
  id: string,
): Promise<Result<Answer>> {
  const isOver = ({ rotation }: MeshCaDocument) => rotation?.id !== id || isCaRotationOver(rotation)
  const seen = await look(call, document, (one) => isOver(one) || needsSomeone(one))
  const answer = { status: 200, json: viewMeshCa(seen) }
  if (isOver(seen)) return succeed(answer)
  return succeed(acceptedAnswer(call.request, operationIds.rotation(id), answer))
}
