import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { createOutsideCa, type OutsideCa } from '../outside-ca.ts'
import type { Simulation } from '../simulation.ts'
import { CA, caOf, ended, MINUTE_MS, putPods, registerCa, rotate, until } from './mesh-ca-scene.ts'
import { must } from './setting.ts'
import { settle } from './settle.ts'
import { checkCalls } from './settle-certificates.ts'

/**
 * The tale of a mesh CA that another CA signs, for crash points: a first CA, an intermediate of the same root, another root.
 * Each time a CSR goes out and a chain comes in, after one that is of another key and must be refused.
 */
export async function meshCaExternalTale(simulation: Simulation): Promise<void> {
  const { time, watch } = simulation
  const [former, next] = [await createOutsideCa(1, time.now()), await createOutsideCa(2, time.now())]
  const mesh = await registerCa(simulation, { kind: 'external' })
  putPods(simulation, 3)
  await hand(simulation, former, 'first', true)
  const first = await ended(simulation, mesh, 'succeeded', 1)
  await rotate(simulation, 'intermediate')
  await hand(simulation, former, 'second', false)
  const second = await ended(simulation, mesh, 'succeeded', 2)
  if (first.roots.join() !== second.roots.join()) watch.broke('the root changed with the intermediate')
  if (first.signer === second.signer) watch.broke('the intermediate did not change')
  await rotate(simulation, 'root')
  await hand(simulation, next, 'third', true)
  const third = await ended(simulation, mesh, 'succeeded', 3)
  if (third.roots.length !== 1 || third.roots[0] === second.roots[0]) watch.broke('the root did not change')
  await settle(simulation, 60 * MINUTE_MS)
  checkCalls(simulation)
}

/** Waits for the CSR and hands in what the CA makes of it. */
async function hand(simulation: Simulation, ca: OutsideCa, key: string, withRoot: boolean): Promise<void> {
  const { client, time, watch } = simulation
  const rotation = () => caOf(simulation).rotation
  await until(simulation, 'a CSR', () => rotation()?.phase === 'awaiting-issuer' || isEnded(rotation()))
  const { csr = '' } = rotation() ?? {}
  const operation = { method: 'POST', path: `/certificates/${CA}/complete`, as: 'operator' } as const
  const root = withRoot ? { root: ca.root } : {}
  const wrong = await client.call({ ...operation, body: { chain: ca.root, ...root } }, 60)
  if (wrong.reply?.status !== 422) watch.broke(`a chain of another key was answered ${wrong.reply?.status}`)
  const chain = await ca.sign(csr, time.now())
  await must(simulation, { ...operation, key, body: { chain, ...root } })
}

function isEnded(rotation: Parameters<typeof isCaRotationOver>[0] | undefined): boolean {
  return rotation !== undefined && isCaRotationOver(rotation) && rotation.phase === 'failed'
}
