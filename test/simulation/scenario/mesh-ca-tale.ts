import type { Simulation } from '../simulation.ts'
import { ended, MINUTE_MS, putPods, registerCa, rotate } from './mesh-ca-scene.ts'
import { idle, settle } from './settle.ts'
import { checkCalls } from './settle-certificates.ts'

/**
 * The tale of a mesh CA for crash points: the vault is empty and gets a first CA, then the intermediate is rotated, then
 * the root, while Pods come and go. However often the process dies, nobody may ever be without trust, and each must end
 * with what was asked for, once.
 */
export async function meshCaTale(simulation: Simulation): Promise<void> {
  const { time, watch } = simulation
  const mesh = await registerCa(simulation, { kind: 'vault-key', hsm: false })
  const first = await ended(simulation, mesh, 'succeeded', 1)
  // Each is renewed at another time: whoever is left out of a phase is seen.
  for (let pods = 2; pods <= 5; pods += 1) {
    putPods(simulation, pods)
    await time.sleep(mesh.ttl.ms / 10)
  }
  await rotate(simulation, 'intermediate')
  const second = await ended(simulation, mesh, 'succeeded', 2)
  if (first.roots.join() !== second.roots.join()) watch.broke('the root changed with the intermediate')
  if (first.signer === second.signer) watch.broke('the intermediate did not change')
  await rotate(simulation, 'root')
  await time.sleep(mesh.ttl.ms)
  putPods(simulation, 6)
  const third = await ended(simulation, mesh, 'succeeded', 3)
  if (third.roots.length !== 1 || third.roots[0] === second.roots[0]) watch.broke('the root did not change')
  await settle(simulation, 60 * MINUTE_MS)
  await idle(simulation, MINUTE_MS)
  checkCalls(simulation)
}
