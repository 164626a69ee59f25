import { isCaRotationOver } from '../model/ca-rotation.ts'
import type { CertificateDocument, MeshCaDocument } from '../model/documents.ts'
import { isRotationOver } from '../model/rotation.ts'
import type { Store } from '../ports/store.ts'
import type { Operation } from './operations.ts'

type State = Pick<Operation, 'status' | 'message'>

const REMOVED: State = { status: 'Failed', message: 'It was removed before it was done.' }

/** How far a certificate is with a generation, or with its removal. */
export async function certificateState(store: Store, name: string, goal: number | 'delete'): Promise<State> {
  const document = (await store.read('certificate', name))?.value
  const ca = document ? undefined : (await store.read('mesh-ca', name))?.value
  if (ca) return caState(ca, goal)
  if (goal === 'delete') {
    if (!document) return { status: 'Succeeded', message: 'It is gone.' }
    if (document.deletingAt === undefined) return { status: 'Failed', message: 'It is not being deleted.' }
    return { status: 'Running', message: `Left to clear: ${document.leaving.join(', ') || 'nothing on clusters'}.` }
  }
  if (!document) return REMOVED
  if (document.observedGeneration >= goal) return { status: 'Succeeded', message: 'Every cluster holds it.' }
  const { rotation } = document
  if (rotation?.phase === 'failed') return { status: 'Failed', message: `${rotation.phase}: ${rotation.message}` }
  const message = rotation && !isRotationOver(rotation) ? `${rotation.phase}: ${rotation.message}` : waiting(document)
  return { status: document.observedGeneration === 0 && !rotation ? 'NotStarted' : 'Running', message }
}

function caState({ observedGeneration, rotation, conditions }: MeshCaDocument, goal: number | 'delete'): State {
  if (goal === 'delete') return { status: 'Failed', message: 'It is not being deleted.' }
  if (observedGeneration >= goal) return { status: 'Succeeded', message: 'The vault holds the CA.' }
  const issued = conditions.find(({ type }) => type === 'Issued')?.message ?? 'It is on its way.'
  if (!rotation) return { status: conditions.length === 0 ? 'NotStarted' : 'Running', message: issued }
  const message = `${rotation.phase}: ${rotation.message}`
  if (rotation.phase === 'failed') return { status: 'Failed', message }
  return { status: 'Running', message: isCaRotationOver(rotation) ? issued : message }
}

/** How far a rotation is; undefined when there is none of this id. */
export async function rotationState(
  store: Store,
  id: string,
): Promise<(State & { readonly certificate: string }) | undefined> {
  const certificate = id.split('.')[0] ?? ''
  const document =
    (await store.read('certificate', certificate))?.value ?? (await store.read('mesh-ca', certificate))?.value
  const all = document ? [...(document.rotation ? [document.rotation] : []), ...document.history] : []
  const rotation = all.find((one) => one.id === id)
  if (!rotation) return undefined
  const message = `${rotation.phase}: ${rotation.message}`
  if (rotation.phase === 'succeeded') return { certificate, status: 'Succeeded', message }
  if (rotation.phase === 'failed' || rotation.phase === 'aborted') return { certificate, status: 'Failed', message }
  return { certificate, status: rotation.phase === 'requested' ? 'NotStarted' : 'Running', message }
}

function waiting({ conditions }: CertificateDocument): string {
  const delivered = conditions.find(({ type }) => type === 'Delivered')
  return delivered?.message ?? 'It is on its way.'
}
