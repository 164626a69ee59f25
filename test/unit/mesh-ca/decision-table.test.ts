import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { decideCa } from '../../../src/mesh-ca/decide-ca.ts'
import { type Observations, PARTS, type VaultSeen } from '../../../src/mesh-ca/observations.ts'
import { observeCa } from '../../../src/mesh-ca/observe.ts'
import { wantedOf } from '../../../src/mesh-ca/wanted.ts'
import { type CaPhase, type CaRotation, isWritePhase } from '../../../src/model/ca-rotation.ts'
import type { MeshCaDocument, TrustDocument } from '../../../src/model/documents.ts'
import type { CaSet } from '../../../src/model/mesh-ca.ts'
import { createWorld, DAY, HOUR, MINUTE } from './world.ts'

/** What may be seen besides the phase. Each changes what is seen when all goes well, or what the rotation itself is. */
interface Scene {
  readonly document: MeshCaDocument
  readonly seen: Observations
}

type Change = (scene: Scene, rotation: CaRotation) => Scene

const withRotation = (scene: Scene, change: Partial<CaRotation>): Scene => {
  const rotation = { ...scene.document.rotation, ...change } as CaRotation
  return { ...scene, document: { ...scene.document, rotation } }
}
const withSeen = (scene: Scene, change: Partial<Observations>): Scene => ({
  ...scene,
  seen: { ...scene.seen, ...change },
})
const vaultOf = ({ seen }: Scene) => seen.vault as VaultSeen
const iso = (ms: number) => new Date(ms).toISOString()

/** The set that the phase wants, whole and marked as its own: the write was done. */
function writtenBy(scene: Scene, rotation: CaRotation): Scene {
  const wanted = wantedOf(rotation)
  const held = vaultOf(scene).set
  if (!wanted.ok || !held || !isWritePhase(rotation.phase)) return scene
  const { from } = rotation
  const versions = Object.fromEntries(PARTS.map((part) => [part, `${rotation.phase}-${part}`])) as CaSet['versions']
  const signer =
    wanted.value.signer === 'new'
      ? { ...held.signer, fingerprint: 'new', notAfter: iso(scene.seen.now + 99 * DAY) }
      : undefined
  const former = wanted.value.signer === 'former' ? from?.signer : undefined
  const set: CaSet = { ...held, rootCert: wanted.value.rootCert, versions, signer: signer ?? former ?? held.signer }
  const mark = { rotation: rotation.id, phase: rotation.phase, direction: rotation.direction }
  const marks = Object.fromEntries(PARTS.map((part) => [part, mark]))
  return withSeen(scene, { vault: { set, problems: [], versions, marks } })
}

/** As `writtenBy`, and noted by the rotation. */
function noted(scene: Scene, rotation: CaRotation): Scene {
  if (!isWritePhase(rotation.phase)) return scene
  const next = writtenBy(scene, rotation)
  const { set } = vaultOf(next)
  return withRotation(next, { ...(set ? { written: set } : {}), writtenAt: iso(scene.seen.now - HOUR) })
}

function looked(scene: Scene, change: Partial<TrustDocument> = {}): Scene {
  const { rotation } = scene.document
  if (!rotation || !scene.seen.trust) return scene
  const wanted = wantedOf(rotation)
  const roots = wanted.ok ? wanted.value.roots : []
  const chain = (rotation.written ?? rotation.from)?.signer.notAfter
  const bundles = [{ roots: [...roots], namespaces: 3, examples: ['a'] }]
  const istiod = chain === undefined ? {} : { istiod: { chainNotAfter: chain } }
  return withSeen(scene, {
    trust: { ...scene.seen.trust, bundles, ...istiod, lookedAt: iso(scene.seen.now - 1000), ...change },
  })
}

const proxiesDue = (scene: Scene) => withRotation(scene, { takenAt: iso(scene.seen.now - 2 * DAY) })
const taken = (scene: Scene, rotation: CaRotation) => proxiesDue(looked(noted(scene, rotation)))

const CLASSES: Readonly<Record<string, Change>> = {
  'all is well, nothing was asked': (scene) => scene,
  'it was asked a moment ago': (scene) => withRotation(scene, { askedUntil: iso(scene.seen.now + MINUTE) }),
  'it is written': writtenBy,
  'it is seen to be taken': taken,
  'the look is older than that': (scene, rotation) => looked(taken(scene, rotation), { lookedAt: iso(0) }),
  'the look failed': (scene, rotation) => looked(taken(scene, rotation), { state: 'failed', reason: 'Unreachable' }),
  'a bundle lacks a root': (scene, rotation) =>
    looked(taken(scene, rotation), { bundles: [{ roots: ['x'], namespaces: 1, examples: ['z'] }] }),
  'istiod signs with another': (scene, rotation) =>
    looked(taken(scene, rotation), { istiod: { chainNotAfter: iso(0) } }),
  'failures have risen': (scene, rotation) => looked(taken(scene, rotation), { failures: { now: 50, before: 1 } }),
  'a proxy may be old': (scene, rotation) =>
    withRotation(taken(scene, rotation), { takenAt: iso(scene.seen.now - HOUR) }),
  'every Pod was restarted': (scene, rotation) =>
    looked(withRotation(taken(scene, rotation), { takenAt: iso(scene.seen.now - HOUR) }), {
      pods: { count: 2, oldestStart: iso(scene.seen.now - 2 * MINUTE), others: 'none' },
    }),
  'the vault does not answer': (scene) =>
    withSeen(scene, { vault: { kind: 'unavailable', reason: 'VaultUnreachable', message: 'No.' } as never }),
  'another hand wrote': (scene) => {
    const vault = vaultOf(scene)
    const { caKey: _ours, ...marks } = vault.marks
    return withSeen(scene, { vault: { ...vault, versions: { ...vault.versions, caKey: 'foreign' }, marks } })
  },
  'it is paused': (scene) =>
    withRotation(scene, { paused: { actor: scene.document.rotation?.actor as never, at: iso(0) } }),
  'the cluster is only observed': (scene) =>
    withSeen(scene, { holds: [{ kind: 'closed', reason: 'ClusterObserved', message: 'It is.' }] }),
  'a freeze holds': (scene) => withSeen(scene, { holds: [{ kind: 'freeze', reason: 'Frozen', message: 'It is.' }] }),
}

/** The write phases that come before, in order: what the vault holds by then. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'root trusting': ['widening'],
  'root switching': ['widening'],
  'root renewing': ['widening', 'switching'],
  'root narrowing': ['widening', 'switching'],
  'root back narrowing': ['widening'],
  'root back switching': ['widening', 'switching'],
  'root back renewing': ['widening', 'switching', 'back switching'],
  'intermediate renewing': ['switching'],
  'intermediate back switching': ['switching'],
}

let bases: Readonly<Record<'root' | 'intermediate', Scene>>
beforeAll(async () => {
  bases = { root: await baseOf('root'), intermediate: await baseOf('intermediate') }
})

/** A rotation that has begun, with its root made, and what is seen then. */
async function baseOf(what: 'root' | 'intermediate'): Promise<Scene> {
  const world = createWorld()
  await world.established()
  await world.rotate(what)
  const { deps, document } = world
  const begun = document()
  const seen = await observeCa(deps, begun)
  await world.until(what === 'root' ? 'widening' : 'switching')
  const { root } = world.rotation() ?? {}
  const rotation = { ...begun.rotation, ...(root ? { root } : {}) } as CaRotation
  const pods = { count: 4, oldestStart: iso(seen.now - 9 * DAY), others: 'none' } as const
  const trust = seen.trust && { ...seen.trust, pods }
  return { document: { ...begun, rotation, dueAt: iso(seen.now) }, seen: { ...seen, trust } }
}

function inPhase(scene: Scene, phase: string): Scene {
  const [direction, name] = phase.startsWith('back ') ? (['back', phase.slice(5)] as const) : (['on', phase] as const)
  const { writtenAt: _written, ...rotation } = scene.document.rotation as CaRotation
  return { ...scene, document: { ...scene.document, rotation: { ...rotation, phase: name as CaPhase, direction } } }
}

function sceneOf(what: 'root' | 'intermediate', phase: string): Scene {
  let scene = bases[what]
  for (const before of BEFORE[`${what} ${phase}`] ?? []) {
    const there = inPhase(scene, before)
    scene = noted(there, there.document.rotation as CaRotation)
  }
  const there = inPhase(scene, phase)
  if (phase.endsWith('ing') && /trust|renew/.test(phase)) return proxiesDue(looked(there))
  if (phase !== 'requested' && phase !== 'preparing') return there
  const { root: _root, ...rotation } = there.document.rotation as CaRotation
  return { ...there, document: { ...there.document, rotation } }
}

/** `asks write`, `switching Entered`, `failed ChangedElsewhere`, `= WaitsForProxies`: where it is then, or why it stays. */
function cellOf(decision: ReturnType<typeof decideCa>, before: MeshCaDocument): string {
  if (decision.kind === 'leave') return 'nothing'
  const { rotation } = decision.document
  const { effect } = decision
  const stays = rotation?.phase === before.rotation?.phase
  return `${stays ? '=' : rotation?.phase} ${rotation?.reason}${effect ? `, asks ${effect.kind}` : ''}`
}

const PLACES = Object.entries({
  root: ['requested', 'preparing', 'widening', 'trusting', 'switching', 'renewing', 'narrowing'].concat(
    ['narrowing', 'switching', 'renewing'].map((one) => `back ${one}`),
  ),
  intermediate: ['requested', 'switching', 'renewing', 'back switching'],
}).flatMap(([what, phases]) => phases.map((phase) => [what as 'root' | 'intermediate', phase] as const))

/** One line a phase and observation: `root widening | it is written | = Written`. `=`: it stays in the phase. */
const TABLE = readFileSync(join(import.meta.dirname, 'decision-table.txt'), 'utf8')
  .trim()
  .split('\n')

describe('what is done in each phase, on and back, by what is seen', () => {
  it.each(PLACES)('%s %s', (what, phase) => {
    const lines = Object.entries(CLASSES).map(([name, change]) => {
      const scene = sceneOf(what, phase)
      const { document, seen } = change(scene, scene.document.rotation as CaRotation)
      return `${what} ${phase} | ${name} | ${cellOf(decideCa(document, seen), document)}`
    })
    expect(lines).toEqual(TABLE.filter((line) => line.startsWith(`${what} ${phase} |`)))
  })

  it('and there is a line for each of them, and no other', () => {
    expect(TABLE).toHaveLength(PLACES.length * Object.keys(CLASSES).length)
  })
})
