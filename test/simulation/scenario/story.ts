import { NO_FAULTS, pick } from '../faults.ts'
import type { Simulation } from '../simulation.ts'
import { ACTIONS, type Play } from './actions.ts'
import {
  beginCertificates,
  chooseCertificateAction,
  endRotations,
  healCertificates,
  registerCertificates,
  removeSomeCertificates,
} from './certificate-story.ts'
import { createLedger } from './ledger.ts'
import {
  beginMeshCas,
  checkMeshCas,
  chooseCaAction,
  endCaRotations,
  healMeshCas,
  registerMeshCas,
} from './mesh-ca-story.ts'
import { createHands } from './people.ts'
import { checkTruth, countRollouts, endRollouts, heal, removeSome } from './resolve.ts'
import { deploy, must, putCluster, putTeam, RELAXED, type ServiceName, serviceBody } from './setting.ts'
import { checkSettled, idle, nextResync, settle } from './settle.ts'
import { checkCalls, checkCertificates } from './settle-certificates.ts'

export interface StoryOptions {
  /** How many things happen. */
  readonly steps: number
  /** Milliseconds of quiet at the end. */
  readonly idleMs: number
}

const SETTLE_MS = 3 * 3_600_000

/**
 * A random story: services are registered, changed, rolled out, deleted, while people, clusters, metrics and the network
 * misbehave. Then the faults stop; everything must settle, be as it was asked for, and stay so.
 */
export async function story(simulation: Simulation, options: StoryOptions): Promise<void> {
  const play = await begin(simulation)
  const { time, chance } = simulation
  for (let step = 0; step < options.steps; step += 1) {
    const doing = chooseAction(play).catch((error: unknown) => simulation.watch.broke(`an action failed: ${error}`))
    if (chance.next() < 0.6) await doing
    else play.doing.push(doing)
    // Rotations of a CA take their time.
    await time.sleep(Math.round(200 * (play.meshCas ? 1500 : 200) ** chance.next()))
  }
  await Promise.all(play.doing)
  await play.ledger.done()
  await play.certificates?.ledger.done()

  simulation.network.setRates(NO_FAULTS)
  simulation.host.setHabits({ ...play.habits, doubles: 0, forgetsFeed: 0 })
  await heal(play)
  await healCertificates(play)
  await healMeshCas(play)
  await nextResync(simulation)
  await settleAndCheck(play)
  await endRollouts(play)
  await endRotations(play)
  await endCaRotations(play)
  await settleAndCheck(play)
  checkTruth(play)
  await removeSome(play)
  await removeSomeCertificates(play)
  await settleAndCheck(play)
  await idle(simulation, options.idleMs)
  await checkMeshCas(play)
  checkCertificates(simulation)
  checkCalls(simulation)
  countRollouts(simulation)
}

async function settleAndCheck(play: Play): Promise<void> {
  const { simulation, ledger, certificates } = play
  await settle(simulation, SETTLE_MS)
  ledger.check()
  checkSettled(simulation)
  certificates?.ledger.check()
  checkCertificates(simulation)
  await checkMeshCas(play)
}

async function begin(simulation: Simulation): Promise<Play> {
  const { chance, surroundings, time } = simulation
  const clusters = [...surroundings.clusters.keys()]
  const services: ServiceName[] = [{ namespace: 'shop', name: 'web' }]
  if (chance.next() < 0.3) services.push({ namespace: 'shop', name: 'api' })
  for (const service of services) deploy(simulation, clusters, service)
  await must(simulation, putTeam(simulation))
  await must(simulation, RELAXED)
  for (const cluster of clusters) await must(simulation, putCluster(simulation, cluster))
  const ledger = createLedger(simulation)
  const play: Play = {
    simulation,
    ledger,
    hands: createHands(simulation),
    clusters,
    services,
    doing: [],
    rollouts: [],
    done: [],
    bad: new Map(),
    keys: { next: 1, deletions: 0 },
    habits: simulation.habits,
    meshCas: beginMeshCas(simulation),
    ...(surroundings.azure ? { certificates: beginCertificates(simulation) } : {}),
  }
  for (const service of services) {
    const where = chance.next() < 0.25 ? { matchLabels: { env: 'prod' } } : clusters
    const called = await ledger.put(service, serviceBody(where, chance.next() < 0.2 ? { onDrift: 'report' } : {}))
    if (!called.reply || called.reply.status >= 300) throw new Error(`not registered: ${JSON.stringify(called)}`)
  }
  await registerCertificates(play)
  await registerMeshCas(play)
  await time.sleep(Math.round(20_000 * chance.next()))
  return play
}

function chooseAction(play: Play): Promise<void> {
  const { chance } = play.simulation
  if (play.meshCas && chance.next() < 0.7) return chooseCaAction(play, play.meshCas)
  if (play.certificates && chance.next() < 0.65) return chooseCertificateAction(play, play.certificates)
  const total = ACTIONS.reduce((sum, [weight]) => sum + weight, 0)
  let mark = chance.next() * total
  for (const [weight, action] of ACTIONS) {
    mark -= weight
    if (mark >= 0) continue
    play.simulation.counts.add(`done: ${action.name}`)
    return action(play, pick(chance, play.services), pick(chance, play.clusters))
  }
  return Promise.resolve()
}
