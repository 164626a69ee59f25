import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import type { MeshCaDocument } from '../../../src/model/documents.ts'
import type { MeshSide } from '../mesh-side.ts'
import type { Simulation } from '../simulation.ts'
import { GOOD, must, putCluster, putTeam, refOf } from './setting.ts'

/** What tales of mesh CAs are told with: cluster east, its istiod, Pods with a proxy, and a CA. */

export const CA = 'east-ca'
export const MINUTE_MS = 60_000
/** A crash costs a lease, and a restart; no phase takes longer than this besides. */
const LONGEST_MS = 60 * MINUTE_MS

/** Registers the cluster and its CA, whose vault is empty. */
export async function registerCa(simulation: Simulation, root: object, more: object = {}): Promise<MeshSide> {
  const mesh = simulation.surroundings.meshes?.get('east')
  if (!mesh) throw new Error('the tale wants an istiod')
  await must(simulation, putTeam(simulation))
  await must(simulation, { ...putCluster(simulation, 'east'), key: 'east' })
  putPods(simulation, 1)
  await simulation.time.sleep(5000)
  const body = { purpose: 'mesh-ca', cluster: 'east', root, workloadTtl: mesh.ttl.text, ...more }
  await must(simulation, { method: 'PUT', path: `/certificates/${CA}`, as: 'operator', key: 'first', body })
  return mesh
}

export function caOf({ watch }: Simulation): MeshCaDocument {
  return watch.documents.get(`mesh-ca/${CA}`) as MeshCaDocument
}

export async function rotate(simulation: Simulation, what: 'intermediate' | 'root', key = `rotate-${what}`) {
  const path = `/certificates/${CA}/rotate`
  await must(simulation, { method: 'POST', path, as: 'operator', key, body: { what } })
}

/** Waits, half a second at a time, until something is so; breaks when it does not come. */
export async function until(simulation: Simulation, what: string, isSo: () => boolean, everyMs = 500): Promise<void> {
  const end = simulation.time.now() + LONGEST_MS
  while (!isSo()) {
    if (simulation.time.now() > end) {
      const { phase, reason, message } = caOf(simulation).rotation ?? {}
      throw new Error(`${what} does not come: the rotation is ${phase}: ${reason} ${message}`)
    }
    await simulation.time.sleep(everyMs)
  }
}

/** Once so many rotations are over, the last in this way, istiod signs with what the document says, and all leaves are of its root. */
export async function ended(
  simulation: Simulation,
  mesh: MeshSide,
  phase: 'succeeded' | 'aborted',
  rotations: number,
): Promise<{ readonly roots: readonly string[]; readonly signer: string }> {
  const { istiod } = mesh
  const isTaken = () => {
    const { current, rotation, history } = caOf(simulation)
    // A first CA is done when the vault holds it: nobody may be without trust by it.
    const isOver = history.length >= rotations && (!rotation || isCaRotationOver(rotation))
    return isOver && current !== undefined && istiod.bundle()?.signer.fingerprint === current.signer.fingerprint
  }
  await until(simulation, `the end of a rotation that ${phase}`, isTaken, 1000)
  const { rotation } = caOf(simulation)
  if (rotation && rotation.phase !== phase) {
    simulation.watch.broke(`the rotation is ${rotation.phase}: ${rotation.reason} ${rotation.message}`)
  }
  const bundle = istiod.bundle()
  const other = [...istiod.leaves().values()].find(({ root }) => root !== bundle?.root)
  if (other) simulation.watch.broke(`${other.pod} has a leaf of another root`)
  return { roots: bundle?.roots ?? [], signer: bundle?.signer.fingerprint ?? '' }
}

/** Pods with a proxy, whom nobody calls. */
export function putPods({ surroundings }: Simulation, pods: number): void {
  surroundings.world.putService(refOf('east', { namespace: 'shop', name: 'web' }), {
    port: 80,
    protocol: 'http',
    versions: { v1: { ...GOOD, pods } },
    demand: {
      requestsPerSecond: 0,
      callers: [{ workload: 'idle', namespace: 'shop', share: 1, meshed: true, requests: [] }],
    },
  })
}
