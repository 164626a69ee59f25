import { type CaRotation, isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import type { Simulation } from '../simulation.ts'
import { CA, caOf, ended, MINUTE_MS, putPods, registerCa, rotate, until } from './mesh-ca-scene.ts'
import { must } from './setting.ts'
import { settle } from './settle.ts'
import { checkCalls } from './settle-certificates.ts'

/** From where it is taken back: what is rotated, the phase, and whether that has written yet. */
const TURNS = [
  ['root', 'preparing', false],
  ['root', 'widening', true],
  ['root', 'trusting', true],
  ['root', 'switching', true],
  ['root', 'renewing', true],
  ['intermediate', 'switching', true],
  ['intermediate', 'renewing', true],
] as const

/**
 * The tale of the way back for crash points: a rotation is aborted in each phase from which there is one, and paused before.
 * What was there before is there after each, and nobody is without trust.
 */
export async function meshCaBackTale(simulation: Simulation): Promise<void> {
  const { watch, fleet } = simulation
  const mesh = await registerCa(simulation, { kind: 'vault-key', hsm: false })
  putPods(simulation, 3)
  const first = await ended(simulation, mesh, 'succeeded', 1)
  for (const [index, [what, phase, isWritten]] of TURNS.entries()) {
    await rotate(simulation, what, `turn-${index}`)
    const isThere = (rotation: CaRotation | undefined) =>
      rotation === undefined ||
      isCaRotationOver(rotation) ||
      (rotation.phase === phase && (!isWritten || rotation.written !== undefined || rotation.askedUntil !== undefined))
    await until(simulation, phase, () => isThere(caOf(simulation).rotation), 20)
    // Where a process died, the rotation may be over before its phase was seen: there is nothing to take back.
    const met = caOf(simulation).rotation
    if (fleet.deaths() > 0 && met && isCaRotationOver(met) && met.phase === 'succeeded') break
    if (phase === 'trusting') {
      await act(simulation, 'pause', index)
      await simulation.time.sleep(2 * mesh.ttl.ms)
      if (caOf(simulation).rotation?.phase !== phase) watch.broke('it went on though it was paused')
    }
    await act(simulation, 'abort', index)
    const after = await ended(simulation, mesh, 'aborted', index + 2)
    if (after.roots.join() !== first.roots.join()) watch.broke(`the roots are others after an abort in ${phase}`)
    if (after.signer !== first.signer) watch.broke(`another intermediate signs after an abort in ${phase}`)
    // What comes after was told with a crash in it, or will be.
    if (fleet.deaths() > 0) break
  }
  await settle(simulation, 60 * MINUTE_MS)
  checkCalls(simulation)
}

function act(simulation: Simulation, verb: 'pause' | 'abort', index: number) {
  const path = `/certificates/${CA}/${verb}`
  return must(simulation, {
    method: 'POST',
    path,
    as: 'operator',
    key: `${verb}-${index}`,
    body: { reason: 'so be it' },
  })
}
