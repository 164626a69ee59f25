import * as z from 'zod'
import { actOnCa, type CaVerb } from '../../mesh-ca/act-on-ca.ts'
import { completeCa } from '../../mesh-ca/complete-ca.ts'
import { deleteMeshCa } from '../../mesh-ca/delete-mesh-ca.ts'
import { putMeshCa } from '../../mesh-ca/put-mesh-ca.ts'
import { rotateCa } from '../../mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { anyCaSpec, type MeshCaSpec } from '../../model/mesh-ca.ts'
import type { RequestContext } from '../../model/request.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { meshCaView, viewMeshCa } from '../views/mesh-ca-view.ts'
import { type WaitQuery, waitQuery } from '../wait.ts'
import { patchOwned } from './owned.ts'
import { afterRotatingPut, type RotatingKind, rotationAnswer } from './rotating.ts'

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
  return rotationAnswer(call, kindOf(call), acted.value, acted.value.rotation?.id ?? '')
}

/** PUT of a mesh CA. */
export async function putCa(call: Call<unknown, WaitQuery>, spec: MeshCaSpec): Promise<Result<Answer>> {
  const { deps, params, context } = call
  return afterRotatingPut(call, kindOf(call), await putMeshCa(deps, params.name ?? '', spec, context))
}

/** PATCH of what is a mesh CA. */
export async function patchCa(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const { name = '' } = params
  const outcome = await patchOwned({
    what: 'certificate',
    key: name,
    patch: body,
    schema: anyCaSpec,
    context,
    read: async () => (await deps.store.read('mesh-ca', name))?.value.spec,
    put: (spec, conditions) => putMeshCa(deps, name, spec, conditions),
  })
  return afterRotatingPut(call, kindOf(call), outcome)
}

/** Nothing more comes by itself: the rotation failed, or waits for a person. */
function needsSomeone({ rotation, conditions }: MeshCaDocument): boolean {
  if (!rotation) return conditions.some(({ type, reason }) => type === 'Issued' && reason === 'BundleUnusable')
  const waits = rotation.phase === 'awaiting-issuer' && rotation.chain === undefined
  return rotation.phase === 'failed' || waits || rotation.paused !== undefined
}

function kindOf({ deps }: Call<unknown, WaitQuery>): RotatingKind<MeshCaDocument> {
  return {
    read: async (name) => (await deps.store.read('mesh-ca', name))?.value,
    view: viewMeshCa,
    isOver: ({ rotation }) => rotation !== undefined && isCaRotationOver(rotation),
    needsSomeone,
  }
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
  return outcome.ok ? rotationAnswer(call, kindOf(call), outcome.value.document, outcome.value.rotation.id) : outcome
}

/** POST …/complete of what is a mesh CA. */
export async function completeMeshCa(
  call: Call<{ readonly chain: string; readonly root?: string | undefined }, WaitQuery>,
): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const reply = { chain: body.chain, ...(body.root === undefined ? {} : { root: body.root }) }
  const outcome = await completeCa(deps, params.name ?? '', reply, context)
  return outcome.ok ? rotationAnswer(call, kindOf(call), outcome.value, outcome.value.rotation?.id ?? '') : outcome
}
