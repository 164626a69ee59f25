import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import type { MeshCaDocument } from '../../../src/model/documents.ts'
import type { IstiodEmulator } from '../../../src/sandbox/emulators/istiod/istiod.ts'
import { WORKLOAD_TTL } from '../mesh-authorities.ts'
import type { Simulation } from '../simulation.ts'
import { GOOD, must, putCluster, putTeam, refOf } from './setting.ts'
import { idle, settle } from './settle.ts'
import { checkCalls } from './settle-certificates.ts'

const MINUTE_MS = 60_000
/** One cluster a day has its turn. */
const LONGEST_MS = 40 * 60 * MINUTE_MS
const NAME = 'east-ca'

/**
 * The tale of a mesh CA for crash points: the vault is empty and gets a first CA, then the intermediate is rotated, then
 * the root, while Pods come and go. However often the process dies, nobody may ever be without trust, and each must end
 * with what was asked for, once.
 */
export async function meshCaTale(simulation: Simulation): Promise<void> {
  const { surroundings, time, watch } = simulation
  const istiod = surroundings.istiods?.get('east')
  if (!istiod) throw new Error('the tale wants an istiod')
  await must(simulation, putTeam(simulation))
  await must(simulation, { ...putCluster(simulation, 'east'), key: 'east' })
  putPods(simulation, 1)
  await time.sleep(5000)
  const body = {
    purpose: 'mesh-ca',
    cluster: 'east',
    root: { kind: 'vault-key', hsm: false },
    workloadTtl: WORKLOAD_TTL.text,
  }
  await must(simulation, { method: 'PUT', path: `/certificates/${NAME}`, as: 'operator', key: 'first', body })
  const first = await rotated(simulation, istiod, 0)
  // Each is renewed at another time: whoever is left out of a phase is seen.
  for (let pods = 2; pods <= 5; pods += 1) {
    putPods(simulation, pods)
    await time.sleep(MINUTE_MS)
  }
  await rotate(simulation, 'intermediate')
  const second = await rotated(simulation, istiod, 1)
  if (first.roots.join() !== second.roots.join()) watch.broke('the root changed with the intermediate')
  if (first.signer === second.signer) watch.broke('the intermediate did not change')
  await rotate(simulation, 'root')
  await time.sleep(10 * MINUTE_MS)
  putPods(simulation, 6)
  const third = await rotated(simulation, istiod, 2)
  if (third.roots.length !== 1 || third.roots[0] === second.roots[0]) watch.broke('the root did not change')
  await settle(simulation, 60 * MINUTE_MS)
  await idle(simulation, MINUTE_MS)
  checkCalls(simulation)
}

function rotate(simulation: Simulation, what: 'intermediate' | 'root') {
  const path = `/certificates/${NAME}/rotate`
  return must(simulation, { method: 'POST', path, as: 'operator', key: `rotate-${what}`, body: { what } })
}

/** Once the rotation is over, all leaves are of what the document says, and so many have been before it. */
async function rotated({ time, watch }: Simulation, istiod: IstiodEmulator, before: number) {
  const end = time.now() + LONGEST_MS
  for (;;) {
    await time.sleep(MINUTE_MS)
    const { current, rotation, history } = watch.documents.get(`mesh-ca/${NAME}`) as MeshCaDocument
    const bundle = istiod.bundle()
    // A first CA is done when the vault holds it: nobody may be without trust by it.
    const isTaken = bundle !== undefined && bundle.signer.fingerprint === current?.signer.fingerprint
    const isDone = isTaken && history.length >= before && (!rotation || isCaRotationOver(rotation))
    if (!isDone && time.now() < end) continue
    if (!isDone || (rotation && rotation.phase !== 'succeeded')) {
      watch.broke(`the rotation is ${rotation?.phase}: ${rotation?.reason} ${rotation?.message}`)
    }
    if (!isTaken) watch.broke('istiod signs with another intermediate')
    const others = [...istiod.leaves().values()].filter(({ root }) => root !== bundle?.root)
    if (others.length > 0) watch.broke(`${others[0]?.pod} has a leaf of another root`)
    return { roots: bundle?.roots ?? [], signer: bundle?.signer.fingerprint }
  }
}

/** Pods with a proxy, whom nobody calls. */
function putPods({ surroundings }: Simulation, pods: number): void {
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
