import { isDeepStrictEqual } from 'node:util'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { findCondition } from '../../../src/model/condition.ts'
import type { AnyDocument, MeshCaDocument } from '../../../src/model/documents.ts'
import { readBundle } from '../../../src/sandbox/emulators/istiod/ca-bundle.ts'
import { pick } from '../faults.ts'
import type { Simulation } from '../simulation.ts'
import { idOf } from '../watch/documents.ts'
import { acceptedBodies } from './accepted.ts'
import type { Play } from './actions.ts'
import { CA_ACTIONS, type CaScene, caDocument, caName, handIn, type MeshCaPart } from './mesh-ca-actions.ts'
import { createCaHands } from './mesh-ca-hands.ts'
import { must } from './setting.ts'
import { settle } from './settle.ts'

/** The part of a story that is about mesh CAs: how it begins, what happens, and how it comes to an end. */

const SETTLE_MS = 3 * 3_600_000
/** What another hand wrote is found by the hourly look at the latest. */
const NOTICED_MS = 3_700_000

export function beginMeshCas(simulation: Simulation): MeshCaPart | undefined {
  const { meshes } = simulation.surroundings
  if (!meshes) return undefined
  const accepted = acceptedBodies(simulation, 'operator', 'mesh-ca')
  const hands = createCaHands(simulation)
  return { meshes, accepted, hands, bodies: new Map(), outsiders: new Map(), outside: { roots: 0 } }
}

export async function registerMeshCas({ simulation, meshCas }: Play): Promise<void> {
  for (const [cluster, { names, ttl }] of meshCas?.meshes ?? []) {
    const name = caName(cluster)
    const root = simulation.chance.next() < 0.75 ? { kind: 'vault-key', hsm: false } : { kind: 'external' }
    const body = { purpose: 'mesh-ca', cluster, root, secrets: names, workloadTtl: ttl.text }
    meshCas?.bodies.set(name, body)
    const called = await meshCas?.accepted.put(`/certificates/${name}`, body)
    if ((called?.reply?.status ?? 500) >= 300) throw new Error(`${name} not registered: ${JSON.stringify(called)}`)
  }
}

export function scenesOf(play: Play, part: MeshCaPart): readonly CaScene[] {
  return [...part.meshes].map(([cluster, mesh]) => ({ play, part, cluster, mesh, name: caName(cluster) }))
}

export function chooseCaAction(play: Play, part: MeshCaPart): Promise<void> {
  const { chance, counts } = play.simulation
  const total = CA_ACTIONS.reduce((sum, [weight]) => sum + weight, 0)
  let mark = chance.next() * total
  for (const [weight, action] of CA_ACTIONS) {
    mark -= weight
    if (mark >= 0) continue
    counts.add(`done: ${action.name}`)
    return action(pick(chance, scenesOf(play, part)))
  }
  return Promise.resolve()
}

/** The drivers mount again, and what another hand broke is put back. */
export async function healMeshCas(play: Play): Promise<void> {
  const { meshCas: part, simulation } = play
  if (!part) return
  await part.accepted.done()
  for (const scene of scenesOf(play, part)) {
    const { mesh, name } = scene
    mesh.isStuck = false
    mesh.pollMs = 10_000
    await part.hands.putBack(mesh)
    const body = part.bodies.get(name)
    if (part.accepted.of(`/certificates/${name}`).body === undefined && body)
      await part.accepted.put(`/certificates/${name}`, body)
    const path = `/certificates/${name}/resume`
    if (caDocument(scene)?.rotation?.paused) await simulation.client.call({ method: 'POST', path, as: 'operator' }, 60)
  }
  await simulation.time.sleep(NOTICED_MS)
}

/** People see to what waits for them, until every CA is whole and at rest. */
export async function endCaRotations(play: Play): Promise<void> {
  const { meshCas: part, simulation } = play
  if (!part) return
  for (let rounds = 0; rounds < 6; rounds += 1) {
    for (const scene of scenesOf(play, part)) await handIn(scene)
    await settle(simulation, SETTLE_MS)
    const open = scenesOf(play, part).filter((scene) => !isAtRest(caDocument(scene)))
    if (open.length === 0) return
    for (const scene of open) {
      const { name } = scene
      const { rotation } = caDocument(scene) ?? {}
      if (rotation?.reason === 'WaitsForTurn') {
        await must(simulation, { method: 'POST', path: `/certificates/${name}/abort`, as: 'operator' })
      } else if (rotation?.phase === 'failed') {
        const rotate = { method: 'POST', path: `/certificates/${name}/rotate`, as: 'operator' } as const
        await must(simulation, { ...rotate, body: { what: rotation.what } })
      }
    }
  }
  for (const scene of scenesOf(play, part)) {
    const { rotation } = caDocument(scene) ?? {}
    const { phase, reason, message } = rotation ?? {}
    if (!isAtRest(caDocument(scene))) simulation.watch.broke(`${scene.name} is ${phase}: ${reason} ${message}`)
  }
}

function isAtRest(document: MeshCaDocument | undefined): boolean {
  const { rotation, current } = document ?? {}
  // A first CA that a person aborted is made a day later.
  if (rotation?.phase === 'aborted') return true
  return current !== undefined && (rotation === undefined || rotation.phase === 'succeeded')
}

/** What of a mesh CA goes on by itself; empty while it rests, or waits for a person or its turn. */
export function meshCaLeft(document: AnyDocument): readonly string[] {
  if (document.kind !== 'mesh-ca') return []
  const { name, rotation, current, conditions, spec } = document
  const isLive = rotation !== undefined && !isCaRotationOver(rotation)
  const waits = rotation && (rotation.paused || (rotation.phase === 'awaiting-issuer' && rotation.chain === undefined))
  const isMoving = isLive && !waits && rotation.reason !== 'WaitsForTurn'
  const isBlind = findCondition(conditions, 'VaultReadable')?.status === 'False'
  return [
    ...(isMoving ? [`${name} is ${rotation.phase}: ${rotation.reason} ${rotation.message}`] : []),
    ...(isBlind ? [`${name} waits for the vault`] : []),
    ...(!current && !isLive && rotation?.phase !== 'aborted' && spec.root.kind === 'vault-key'
      ? [`${name} has no CA yet`]
      : []),
  ]
}

/**
 * What a look found of the end of a rotation is noted of its CA, in its conditions alone: the look before may have been sooner
 * than istiod. A second time would be flapping. `writes`: ids of all documents written since `before`.
 */
export function isNotedOnce(
  before: AnyDocument | undefined,
  after: AnyDocument | undefined,
  writes: readonly string[],
): boolean {
  if (before?.kind !== 'mesh-ca' || after?.kind !== 'mesh-ca') return false
  const isOther = (name: string) => !name.startsWith('_') && name !== 'conditions' && name !== 'updatedAt'
  const rest = (document: MeshCaDocument) =>
    Object.entries(document)
      .filter(([name]) => isOther(name))
      .sort()
  const times = writes.filter((id) => id === idOf(after)).length
  return times === 1 && isDeepStrictEqual(rest(before), rest(after))
}

/** The four secrets of each CA fit together, istiod signs with them and trusts just them, and the document says so. */
export async function checkMeshCas(play: Play): Promise<void> {
  const { meshCas: part, simulation } = play
  const { time, watch } = simulation
  for (const scene of part ? scenesOf(play, part) : []) {
    const { mesh, name } = scene
    const document = caDocument(scene)
    const texts = await scene.part.hands.texts(mesh)
    if (!document?.current) continue
    const read = texts && readBundle(texts, time.now())
    const why = !read ? 'a secret is missing' : read.ok ? wrongIn(document, mesh, read.bundle) : read.why
    if (why !== undefined) watch.broke(`${name}: ${why}`)
  }
  const asked = [...watch.meshCas.rotations].filter(([, reason]) => reason === 'Asked')
  for (const [rotation] of asked) {
    const records = watch.records.audits.filter(
      ({ action, after }) =>
        action === 'certificate.rotate' && (after as { readonly rotation?: string }).rotation === rotation,
    )
    if (records.length !== 1) watch.broke(`rotation ${rotation} was asked for, and has ${records.length} audit records`)
  }
}

function wrongIn({ current, rotation }: MeshCaDocument, { istiod }: CaScene['mesh'], bundle: Held): string | undefined {
  const isLive = rotation && !isCaRotationOver(rotation)
  if (isLive) return undefined
  const held = istiod.bundle()
  if (held?.signer.fingerprint !== bundle.signer.fingerprint) return 'istiod signs with another certificate'
  if (held.rootCert !== bundle.rootCert) return 'istiod trusts other roots than the vault holds'
  if (current?.signer.fingerprint !== bundle.signer.fingerprint) return 'its document knows another signer'
  if (current.rootCert !== bundle.rootCert) return 'its document knows other roots'
  return undefined
}

type Held = NonNullable<ReturnType<CaScene['mesh']['istiod']['bundle']>>
