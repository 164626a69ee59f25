import type { RolloutPhase } from '../../../src/model/rollout.ts'
import type { Person } from '../persons.ts'
import type { Simulation } from '../simulation.ts'
import { WEBHOOK_HOST } from '../webhook-receivers.ts'
import { createLedger } from './ledger.ts'
import { behave, deploy, must, pathOf, putCluster, putTeam, RELAXED, type ServiceName, serviceBody } from './setting.ts'
import { checkSettled, idle, settle } from './settle.ts'
import { expectEnd } from './tale.ts'

const WEB: ServiceName = { namespace: 'shop', name: 'web' }
const HOUR_MS = 3_600_000
const PREVIEW = [{ headers: { 'x-preview': { exact: 'true' } } }]

/**
 * The tale of everything that rollouts do, on two clusters, always the same: waves with copies, matches, weights with
 * affinity, a webhook, two approvers and a proof of safety; harm in the second wave, which takes all back; harm that only
 * freezes; missing metrics; a freeze and broken glass; ways back without weights. It passes through every phase.
 */
export async function strategiesTale(simulation: Simulation): Promise<void> {
  const { time, surroundings, watch } = simulation
  deploy(simulation, [...surroundings.clusters.keys()], WEB)
  await time.sleep(10_000)
  await must(simulation, putTeam(simulation))
  await must(simulation, { ...RELAXED, key: 'relaxed' })
  for (const cluster of ['east', 'west']) await must(simulation, { ...putCluster(simulation, cluster), key: cluster })
  const ledger = createLedger(simulation)
  await ledger.put(WEB, serviceBody(['east', 'west']))
  await wholeWay(simulation)
  await harmInSecondWave(simulation)
  await harmThatFreezes(simulation)
  await blindAndFrozen(simulation)
  await backWithoutWeights(simulation, { match: PREVIEW })
  await backWithoutWeights(simulation, { mirror: 50 })
  ledger.check()
  checkSettled(simulation)
  await idle(simulation, 60_000)
  const missing = PHASES.filter((phase) => !watch.phases.has(phase))
  if (missing.length > 0) watch.broke(`the tale does not pass through ${missing.join(', ')}`)
}

const PHASES: readonly RolloutPhase[] = [
  ...(['pending', 'preflight', 'progressing', 'paused', 'awaiting-approval', 'blind', 'promoting', 'baking'] as const),
  ...(['rolling-back', 'succeeded', 'rolled-back', 'aborted'] as const),
]

async function wholeWay(simulation: Simulation): Promise<void> {
  const steps = [
    { mirror: 100, for: '5s', approval: true },
    { match: PREVIEW, for: '5s' },
    { weight: 50, for: '5s', analysis: true },
    { hold: '5s' },
    { webhook: { url: `https://${WEBHOOK_HOST}/patient` } },
    { approval: { quorum: 2 } },
  ]
  const rest = { name: 'rest', steps: [{ weight: 50, for: '5s' }], bake: '5s' }
  const waves = [{ name: 'canary', clusters: ['east'], bake: '5s' }, rest]
  const body = { candidate: 'v2', steps, waves, affinity: { cookie: 'version' } }
  const id = await start(simulation, 'whole', body, 'deputy')
  await reach(simulation, id, 'awaiting-approval')
  await withoutPods(simulation, 'east', () => verb(simulation, id, 'approve', 'admin', 'sides'))
  await reach(simulation, id, 'awaiting-approval')
  const path = `/rollouts/${id}/approve`
  const { reply } = await simulation.client.call({ method: 'POST', path, as: 'deputy', key: 'own', body: {} })
  if (reply && reply.status !== 409) simulation.watch.broke(`who started ${id} approves it: ${reply.status}`)
  await verb(simulation, id, 'approve', 'admin')
  // Nobody counts twice.
  await must(simulation, { method: 'POST', path, as: 'admin', key: 'twice', body: {} })
  await verb(simulation, id, 'approve', 'approver')
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, id, 'succeeded')
}

/** What is allowed while the candidate has no Pods waits for them: nothing may go to a version that nobody answers for. */
async function withoutPods(simulation: Simulation, cluster: string, allow: () => Promise<void>): Promise<void> {
  behave(simulation, cluster, WEB, 'v2', { pods: 0 })
  await simulation.time.sleep(5000)
  await allow()
  await simulation.time.sleep(30_000)
  behave(simulation, cluster, WEB, 'v2', { pods: 2 })
}

async function harmInSecondWave(simulation: Simulation): Promise<void> {
  const waves = [{ clusters: ['east'] }, {}]
  const ask = { webhook: { url: `https://${WEBHOOK_HOST}/passing` } }
  const id = await start(simulation, 'harm', { candidate: 'v1', steps: [ask, { weight: 50, for: '5s' }], waves })
  behave(simulation, 'west', WEB, 'v1', { errorPercent: 95 })
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, id, 'rolled-back')
  behave(simulation, 'west', WEB, 'v1', { errorPercent: 0.1 })
}

async function harmThatFreezes(simulation: Simulation): Promise<void> {
  const id = await start(simulation, 'freezing', {
    candidate: 'v1',
    steps: [{ weight: 50, for: '10s' }],
    onHarm: 'freeze',
  })
  behave(simulation, 'west', WEB, 'v1', { errorPercent: 95 })
  await reach(simulation, id, 'paused')
  await verb(simulation, id, 'resume', 'deployer')
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, id, 'succeeded')
  behave(simulation, 'west', WEB, 'v1', { errorPercent: 0.1 })
}

/** Metrics are missing for a while, then a freeze holds until somebody breaks the glass; in the end it is aborted. */
async function blindAndFrozen(simulation: Simulation): Promise<void> {
  const { surroundings, time } = simulation
  const steps = [{ weight: 20, for: '20s' }, { match: PREVIEW, weight: 60, for: '5s' }, { approval: true }]
  const id = await start(simulation, 'frozen', { candidate: 'v2', clusters: ['east'], steps, affinity: {} })
  await reach(simulation, id, 'progressing')
  const spec = surroundings.world.cluster('east')?.spec
  if (!spec) throw new Error('there is no cluster east')
  surroundings.world.putCluster('east', { ...spec, metrics: 'unavailable' })
  await reach(simulation, id, 'blind')
  const freeze = { reason: 'quarter end', scope: {} }
  await must(simulation, { method: 'PUT', path: '/freezes/all', as: 'operator', body: freeze, key: 'freeze' })
  surroundings.world.putCluster('east', { ...spec, metrics: 'up' })
  await time.sleep(60_000)
  await verb(simulation, id, 'break-glass', 'operator')
  await reach(simulation, id, 'awaiting-approval')
  await must(simulation, { method: 'DELETE', path: '/freezes/all', as: 'operator' })
  await verb(simulation, id, 'abort', 'deployer')
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, id, 'aborted')
}

/** What matches and copies go back too, though the cluster does not hear of it at first: the way back is over after that. */
async function backWithoutWeights(simulation: Simulation, side: object): Promise<void> {
  const { surroundings, time } = simulation
  const body = { candidate: 'v2', clusters: ['east'], steps: [{ ...side, for: '1h' }] }
  const id = await start(simulation, `back-${Object.keys(side)[0]}`, body)
  await reach(simulation, id, 'progressing')
  await time.sleep(20_000)
  const spec = surroundings.world.cluster('east')?.spec
  if (!spec) throw new Error('there is no cluster east')
  surroundings.world.putCluster('east', { ...spec, reachable: false })
  await verb(simulation, id, 'abort', 'deployer')
  await time.sleep(30_000)
  surroundings.world.putCluster('east', { ...spec, reachable: true })
  await settle(simulation, HOUR_MS)
  expectEnd(simulation, id, 'aborted')
}

async function start(simulation: Simulation, key: string, body: object, as: Person = 'deployer'): Promise<string> {
  const gates = [{ kind: 'errors', limitPercent: 1 }]
  const more = { gates, bake: '5s', minEvents: 20, patience: '5m', readyTimeout: '5m' }
  const path = `${pathOf(WEB)}/rollouts`
  const { reply } = await must(simulation, { method: 'POST', path, as, key, body: { ...more, ...body } })
  return String(reply?.json.id)
}

async function verb(simulation: Simulation, id: string, name: string, as: Person, about = ''): Promise<void> {
  const [path, body] = [`/rollouts/${id}/${name}`, { note: 'so be it' }]
  await must(simulation, { method: 'POST', path, as, key: `${id}-${name}-${as}${about}`, body })
}

/** Waits for a phase of a rollout; throws after an hour. */
async function reach({ time, watch }: Simulation, id: string, phase: RolloutPhase): Promise<void> {
  for (const until = time.now() + HOUR_MS; time.now() < until; await time.sleep(1000)) {
    const [namespace, name] = id.split('.')
    const rollouts = watch.documents.service(`${namespace}/${name}`)?.rollouts ?? []
    if (rollouts.some((one) => one.id === id && one.phase === phase)) return
  }
  throw new Error(`${id} is not ${phase} in an hour`)
}
