import type { MeshCaDocument } from '../../../src/model/documents.ts'
import { pick } from '../faults.ts'
import type { MeshSide } from '../mesh-side.ts'
import { createOutsideCa, type OutsideCa } from '../outside-ca.ts'
import type { AcceptedBodies, Body } from './accepted.ts'
import type { Play } from './actions.ts'
import type { CaHands } from './mesh-ca-hands.ts'
import { behave, VERSIONS } from './setting.ts'

/** What a story of mesh CAs works with besides. */
export interface MeshCaPart {
  readonly meshes: ReadonlyMap<string, MeshSide>
  readonly accepted: AcceptedBodies
  readonly hands: CaHands
  /** What was registered at first, by the name of the CA. */
  readonly bodies: Map<string, Body>
  /** CAs outside, by the fingerprint of their root. */
  readonly outsiders: Map<string, OutsideCa>
  /** How many roots they have made. */
  readonly outside: { roots: number }
}

export interface CaScene {
  readonly play: Play
  readonly part: MeshCaPart
  readonly cluster: string
  readonly mesh: MeshSide
  /** Name of the CA. */
  readonly name: string
}

type CaAction = (scene: CaScene) => Promise<void>

/** What may happen to mesh CAs, with its weight in the choice. */
export const CA_ACTIONS: readonly (readonly [number, CaAction])[] = [
  [24, rotateCa],
  [14, letTimePass],
  [12, takeBack],
  [5, pauseForAWhile],
  [12, handIn],
  [5, changeCa],
  [2, removeCa],
  [7, meddleWithVault],
  [6, restartIstiod],
  [7, restartPods],
  [4, changePolls],
  [4, stopDriver],
]

export function caName(cluster: string): string {
  return `${cluster}-ca`
}

export function caDocument({ play, name }: Pick<CaScene, 'play' | 'name'>): MeshCaDocument | undefined {
  return play.simulation.watch.documents.get(`mesh-ca/${name}`) as MeshCaDocument | undefined
}

function nextKey({ keys }: Play): string {
  keys.next += 1
  return `ca-${keys.next}`
}

async function rotateCa({ play, name }: CaScene): Promise<void> {
  const { client, chance } = play.simulation
  const what = pick(chance, ['root', 'root', 'intermediate'] as const)
  const operation = { method: 'POST', path: `/certificates/${name}/rotate`, as: 'operator' } as const
  const key = nextKey(play)
  const first = await client.call({ ...operation, key, body: { what } }, 30)
  if (chance.next() > 0.3 || !first.reply || first.reply.status >= 300) return
  // A pipeline that lost its answer asks again, with the same key.
  await client.call({ ...operation, key, body: { what }, again: true }, 30)
}

async function letTimePass({ play, mesh }: CaScene): Promise<void> {
  await play.simulation.time.sleep(Math.round(1.5 * mesh.ttl.ms * play.simulation.chance.next()))
}

function verb({ play, name }: CaScene, what: 'pause' | 'resume' | 'abort') {
  const path = `/certificates/${name}/${what}`
  const body = { reason: 'so be it' }
  return play.simulation.client.call({ method: 'POST', path, as: 'operator', key: nextKey(play), body }, 30)
}

async function takeBack(scene: CaScene): Promise<void> {
  await verb(scene, 'abort')
}

async function pauseForAWhile(scene: CaScene): Promise<void> {
  const { time, chance } = scene.play.simulation
  await verb(scene, 'pause')
  await time.sleep(Math.round(300_000 * chance.next()))
  await verb(scene, 'resume')
}

/** What an outside CA makes of the CSR is handed in; now and then first something of another. */
export async function handIn(scene: CaScene): Promise<void> {
  const { play, part, name } = scene
  const { client, chance, time, watch } = play.simulation
  const rotation = caDocument(scene)?.rotation
  if (rotation?.phase !== 'awaiting-issuer' || rotation.csr === undefined || rotation.chain !== undefined) return
  const operation = { method: 'POST', path: `/certificates/${name}/complete`, as: 'operator' } as const
  const ca =
    rotation.what === 'root'
      ? await newRoot(scene)
      : (rotation.from?.roots ?? []).flatMap(({ fingerprint }) => part.outsiders.get(fingerprint) ?? [])[0]
  if (!ca) return
  const root = rotation.what === 'root' ? { root: ca.root } : {}
  if (chance.next() < 0.3) {
    const stranger = await createOutsideCa(0, time.now())
    const chain = await stranger.sign(rotation.csr, time.now())
    const { reply } = await client.call({ ...operation, body: { chain, ...root } }, 5)
    if (reply?.status === 202) watch.broke(`a chain of a stranger was taken for ${name}`)
  }
  const chain = await ca.sign(rotation.csr, time.now())
  await client.call({ ...operation, key: nextKey(play), body: { chain, ...root } }, 30)
}

async function newRoot({ play, part }: CaScene): Promise<OutsideCa> {
  part.outside.roots += 1
  const ca = await createOutsideCa(part.outside.roots, play.simulation.time.now())
  part.outsiders.set(ca.fingerprint, ca)
  return ca
}

/** What may be changed at any time. */
async function changeCa({ play, part, name }: CaScene): Promise<void> {
  const { chance } = play.simulation
  const path = `/certificates/${name}`
  const { body } = part.accepted.of(path)
  const first = part.bodies.get(name)
  if (!body && first) return void (await part.accepted.put(path, first))
  if (!body) return
  const key = pick(chance, ['P-256', 'P-384', 'P-384', 'RSA-2048'])
  const validity = pick(chance, ['240h', '8760h'])
  await part.accepted.put(path, { ...body, intermediate: { key, validity } })
}

/** Somebody lets go of it, and takes it up again. */
async function removeCa({ play, part, name }: CaScene): Promise<void> {
  const { chance, time } = play.simulation
  const path = `/certificates/${name}`
  const body = part.bodies.get(name)
  if (!body) return
  await part.accepted.remove(path)
  await time.sleep(Math.round(60_000 * chance.next()))
  await part.accepted.put(path, body)
}

/**
 * Another hand writes one of the four secrets: the same again, or what breaks the set; then it puts back what was whole
 * before. What follows for trust in between is its own doing.
 */
async function meddleWithVault({ play, part, mesh }: CaScene): Promise<void> {
  const { chance, time } = play.simulation
  const { hands } = part
  const of = pick(chance, ['rootCert', 'certChain', 'caCert', 'caKey'] as const)
  if (chance.next() < 0.4) return hands.repeat(mesh, of)
  if (mesh.isSpoiled) return
  await hands.spoil(mesh, of)
  await time.sleep(Math.round(240_000 * chance.next()))
  await hands.putBack(mesh)
}

async function restartIstiod({ mesh }: CaScene): Promise<void> {
  mesh.istiod.restart()
}

/** All at once, as a rollout restart of every Deployment. */
async function restartPods({ play, cluster }: CaScene): Promise<void> {
  for (const pods of [0, 2]) {
    for (const service of play.services)
      for (const version of VERSIONS) behave(play.simulation, cluster, service, version, { pods })
    await play.simulation.time.sleep(2000)
  }
}

async function changePolls({ play, mesh }: CaScene): Promise<void> {
  mesh.pollMs = pick(play.simulation.chance, [2000, 20_000, 60_000])
}

/** Where istiod's metrics tell that it takes nothing; where they do not, nobody would know. */
async function stopDriver({ play, mesh }: CaScene): Promise<void> {
  const { chance, time } = play.simulation
  if (!mesh.tells) return
  mesh.isStuck = true
  await time.sleep(Math.round(1_500_000 * chance.next()))
  mesh.isStuck = false
}
