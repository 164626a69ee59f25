import { isDeepStrictEqual } from 'node:util'
import { type CaRotation, isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import type { AnyDocument, MeshCaDocument } from '../../../src/model/documents.ts'
import type { CaSecretNames } from '../../../src/model/mesh-ca.ts'
import type { EmulatorRequest } from '../../../src/sandbox/emulators/emulator.ts'
import type { SecretRecord } from '../../../src/sandbox/emulators/key-vault/records.ts'
import type { MeshSide } from '../mesh-side.ts'
import type { Acting } from '../network.ts'
import type { DocumentWatch } from './documents.ts'
import type { Broke } from './kinds.ts'

/** What mesh CAs write to the vault, and what their rotations come to. */
export interface MeshCaWatch {
  meshes(meshes: ReadonlyMap<string, MeshSide>): void
  documentWritten(before: AnyDocument | undefined, document: AnyDocument): void
  sent(acting: Acting, request: EmulatorRequest): void
  /** Call with every stored record of a secret. */
  secretWritten(record: SecretRecord, now: number): void
  /** By id, with the reason why they were started. */
  readonly rotations: ReadonlyMap<string, string>
}

const OUR_TAG = 'meshwright-rotation'
const PARTS = ['rootCert', 'caCert', 'certChain', 'caKey'] as const

/**
 * Nothing is written over what another hand wrote and the rotation has not begun from; what succeeded left just the wanted
 * roots, and what was aborted the former, in the document, in the vault and in every leaf.
 */
export function watchMeshCas(broke: Broke, documents: DocumentWatch): MeshCaWatch {
  const counted = new Map<string, number>()
  const foreign = new Map<string, number>()
  const begun = new Map<string, number>()
  const newest = new Map<string, string>()
  const rotations = new Map<string, string>()
  let sides: ReadonlyMap<string, MeshSide> = new Map()
  const ownerOf = (secret: string) => {
    for (const [cluster, { names }] of sides) {
      const part = PARTS.find((one) => names[one] === secret)
      if (part)
        return {
          part,
          known: knownIn(
            documents.all().filter((one) => isOn(one, cluster)),
            part,
          ),
        }
    }
    return undefined
  }
  return {
    rotations,
    meshes: (meshes) => {
      sides = meshes
    },
    sent({ system, invocation }, { method, url, body }) {
      if (system !== 'vault' || method !== 'PUT' || !invocation) return
      const { value } = JSON.parse(new TextDecoder().decode(body)) as { readonly value?: string }
      begun.set(`${url.pathname.split('/')[2]} ${value}`, invocation.startedAt)
    },
    secretWritten({ name, versions }, now) {
      const last = versions.at(-1)
      const isNew = versions.length > (counted.get(name) ?? 0)
      counted.set(name, versions.length)
      if (!last || !isNew) return
      newest.set(name, last.id)
      if (last.tags[OUR_TAG] === undefined) return void foreign.set(last.id, now)
      const former = versions.at(-2)
      const writtenAt = former && foreign.get(former.id)
      const owner = ownerOf(name)
      // A vault knows no conditions: what was written while we were at it cannot be told.
      const isUnseen = writtenAt !== undefined && writtenAt >= (begun.get(`${name} ${last.value}`) ?? 0)
      if (!owner || !former || writtenAt === undefined || isUnseen || owner.known.includes(former.id)) return
      broke(`${name} was written over version ${former.id}, which another hand wrote`)
    },
    documentWritten(before, document) {
      if (document.kind !== 'mesh-ca') return
      const { rotation } = document
      if (!rotation) return
      if (!rotations.has(rotation.id)) rotations.set(rotation.id, rotation.reason)
      const former = before?.kind === 'mesh-ca' ? before.rotation : undefined
      if (!isCaRotationOver(rotation) || (former?.id === rotation.id && isCaRotationOver(former))) return
      const mesh = sides.get(document.spec.cluster)
      const why = wrongAtEnd(document, rotation, mesh?.isSpoiled ? undefined : mesh)
      if (why !== undefined) broke(`${rotation.id} of the ${rotation.what} ${rotation.phase}: ${why}`)
    },
  }
}

function isOn(document: AnyDocument, cluster: string): document is MeshCaDocument {
  return document.kind === 'mesh-ca' && document.spec.cluster === cluster
}

/** Versions that the document knows. */
function knownIn(documents: readonly AnyDocument[], part: keyof CaSecretNames): readonly (string | undefined)[] {
  return (documents as readonly MeshCaDocument[]).flatMap(({ current, rotation }) =>
    [current, rotation?.from, rotation?.written].map((set) => set?.versions[part]),
  )
}

function wrongAtEnd(
  { current }: MeshCaDocument,
  { phase, what, from, root }: CaRotation,
  mesh: MeshSide | undefined,
): string | undefined {
  if (phase === 'failed') return undefined
  const before = from?.roots.map(({ fingerprint }) => fingerprint)
  const after = current?.roots.map(({ fingerprint }) => fingerprint)
  const isChanged = phase === 'succeeded' && what === 'root'
  const wanted = isChanged ? root && [root.certificate.fingerprint] : before
  if (!isDeepStrictEqual(after, wanted)) return `its roots are ${after}, wanted are ${wanted}`
  const isSigner = current?.signer.fingerprint === from?.signer.fingerprint
  if (from && isSigner !== (phase === 'aborted')) return `it signs with ${current?.signer.serial}`
  if (phase === 'aborted' && current?.rootCert !== from?.rootCert) return 'the bytes of the former roots changed'
  // A first CA is done when the vault holds it.
  const leaves = from ? [...(mesh?.istiod.leaves().values() ?? [])] : []
  const stray = leaves.find((leaf) => wanted && !wanted.includes(leaf.root))
  return stray && `${stray.pod} has a leaf of root ${stray.root}`
}
