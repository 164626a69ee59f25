import type { Simulation } from '../simulation.ts'
import { createLedger } from './ledger.ts'
import { deploy, must, pathOf, putCluster, putTeam, type ServiceName, serviceBody } from './setting.ts'
import { checkSettled, idle, settle } from './settle.ts'

const WEB: ServiceName = { namespace: 'shop', name: 'web' }
const GATES = [{ kind: 'errors', limitPercent: 1 }]
const HOUR_MS = 3_600_000

/**
 * The tale that crash points are tried on, always the same: a service is registered on one cluster, a good canary is
 * promoted, another one is aborted half-way, the service is deleted. However often its process dies, each part must end so.
 */
export async function tale(simulation: Simulation): Promise<void> {
  const { time, watch, surroundings } = simulation
  deploy(simulation, [...surroundings.clusters.keys()], WEB)
  await time.sleep(10_000)
  await must(simulation, putTeam(simulation))
  await must(simulation, { ...putCluster(simulation, 'east'), key: 'east' })
  const ledger = createLedger(simulation)
  await ledger.put(WEB, serviceBody(['east']))

  const good = await start(simulation, 'good', { candidate: 'v2', steps: [{ weight: 50, for: '5s' }], bake: '5s' })
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, good, 'succeeded')

  const aborted = await start(simulation, 'aborted', { candidate: 'v1', steps: [{ weight: 50, for: '1h' }] })
  await time.sleep(15_000)
  await must(simulation, { method: 'POST', path: `/rollouts/${aborted}/abort`, as: 'deployer', key: 'abort' })
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, aborted, 'aborted')
  ledger.check()
  checkSettled(simulation)
  const stable = watch.documents.service('shop/web')?.targets.east?.stable
  if (stable !== 'v2') watch.broke(`stable is ${stable}, not v2`)

  await ledger.remove(WEB)
  await settle(simulation, HOUR_MS)
  ledger.check()
  await idle(simulation, 60_000)
}

async function start(simulation: Simulation, key: string, body: object): Promise<string> {
  const more = { gates: GATES, minEvents: 20, patience: '5m', readyTimeout: '5m' }
  const path = `${pathOf(WEB)}/rollouts`
  const { reply } = await must(simulation, { method: 'POST', path, as: 'deployer', key, body: { ...more, ...body } })
  return String(reply?.json.id)
}

/** The rollout must be over in this phase. */
export function expectEnd({ watch }: Simulation, id: string, phase: string): void {
  const ended = watch.documents.all().find((one) => one.kind === 'rollout' && one.rollout.id === id)
  const is = ended?.kind === 'rollout' ? ended.rollout.phase : 'not over'
  if (is !== phase) watch.broke(`${id} is ${is}, not ${phase}`)
}
