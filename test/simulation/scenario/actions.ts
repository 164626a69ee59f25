import type { Called, Operation } from '../client.ts'
import { pick } from '../faults.ts'
import type { Instance } from '../fleet.ts'
import type { HostHabits } from '../host.ts'
import type { Person } from '../persons.ts'
import type { Simulation } from '../simulation.ts'
import type { CertificatePart } from './certificate-actions.ts'
import type { Ledger } from './ledger.ts'
import type { MeshCaPart } from './mesh-ca-actions.ts'
import type { Hands } from './people.ts'
import { drawRollout } from './rollout-body.ts'
import { behave, GOOD, pathOf, putCluster, type ServiceName, serviceBody, VERSIONS, type Version } from './setting.ts'

/** A story under way. */
export interface Play {
  readonly simulation: Simulation
  readonly ledger: Ledger
  readonly hands: Hands
  readonly clusters: readonly string[]
  readonly services: readonly ServiceName[]
  /** What was begun and not waited for. */
  readonly doing: Promise<void>[]
  readonly rollouts: { readonly id: string; readonly service: ServiceName }[]
  /** Calls with a key that had their effect; those about a service that was deleted since are taken out. */
  done: { readonly operation: Operation; readonly service: ServiceName; readonly id: unknown }[]
  /** When a version began to misbehave, by `shop/web v2`: gates may rightly call harm from then on. */
  readonly bad: Map<string, number>
  /** The next key to be given out, and how many services were told to go. */
  readonly keys: { next: number; deletions: number }
  readonly habits: HostHabits
  /** Only in stories of certificates. */
  readonly certificates?: CertificatePart
  /** Only in stories of mesh CAs. */
  readonly meshCas?: MeshCaPart | undefined
}

type Action = (play: Play, service: ServiceName, cluster: string) => Promise<void>

/** What may happen, with its weight in the choice. */
export const ACTIONS: readonly (readonly [number, Action])[] = [
  [30, startRollout],
  [22, doVerb],
  [10, approveWaiting],
  [8, repeat],
  [12, changeService],
  [5, moveService],
  [3, deleteService],
  [8, misbehave],
  [6, losePods],
  [8, loseCluster],
  [8, loseMetrics],
  [7, meddle],
  [5, holdWrites],
  [5, freeze],
  [6, crash],
  [4, cutWire],
  [3, changeCluster],
]

async function startRollout(play: Play, service: ServiceName): Promise<void> {
  const { chance } = play.simulation
  const candidate = pickCandidate(play, service)
  const quality = chance.next()
  if (quality < 0.3) for (const cluster of play.clusters) spoil(play, cluster, service, candidate, { errorPercent: 20 })
  else if (quality < 0.4) for (const cluster of play.clusters) spoil(play, cluster, service, candidate, { pods: 0 })
  else if (quality < 0.5) spoil(play, pick(chance, play.clusters), service, candidate, { pods: 0 })
  const named = candidate === 'v3' ? { name: 'v3', labels: { version: 'v3' } } : candidate
  const made = {
    name: 'v4',
    image: { [service.name]: `registry.example.com/${service.name}:4` },
    replicas: pick(chance, ['equal', 'weight']),
  }
  const body = drawRollout(chance, chance.next() < 0.15 ? made : named, play.clusters)
  const operation: Operation = {
    method: 'POST',
    path: `${pathOf(service)}/rollouts${chance.next() < 0.2 ? '?wait=60s' : ''}`,
    as: pick(chance, ['deployer', 'deployer', 'deputy', 'admin']),
    body,
    key: nextKey(play),
  }
  const id = await callOnce(play, service, operation)
  if (typeof id === 'string') play.rollouts.push({ id, service })
}

/** Mostly one that is not stable already, as far as the pipeline knows. */
function pickCandidate({ simulation }: Play, { namespace, name }: ServiceName): Version {
  const targets = simulation.watch.documents.service(`${namespace}/${name}`)?.targets ?? {}
  const others = VERSIONS.filter((version) => !Object.values(targets).some(({ stable }) => stable === version))
  return pick(simulation.chance, simulation.chance.next() < 0.1 || others.length === 0 ? VERSIONS : others)
}

/** Calls, and remembers the call if it was taken. */
async function callOnce(play: Play, service: ServiceName, operation: Operation): Promise<unknown> {
  const { deletions } = play.keys
  const { reply } = await play.simulation.client.call(operation, 30)
  if (!reply || reply.status >= 300) return undefined
  if (deletions === play.keys.deletions) play.done.push({ operation, service, id: reply.json.id })
  return reply.json.id
}

function nextKey({ keys }: Play): string {
  const key = `key-${keys.next}`
  keys.next += 1
  return key
}

const DEPLOYERS = ['deployer', 'deputy'] as const
const APPROVERS = ['admin', 'approver', 'deputy'] as const

/** What people say to rollouts, and who does. */
const VERBS: readonly (readonly [string, readonly Person[]])[] = [
  ['promote', DEPLOYERS],
  ['pause', DEPLOYERS],
  ['resume', DEPLOYERS],
  ['resume', DEPLOYERS],
  ['abort', DEPLOYERS],
  ['rollback', DEPLOYERS],
  ['approve', APPROVERS],
  ['approve', APPROVERS],
  ['reject', APPROVERS],
  ['break-glass', ['operator', 'admin']],
  ['retry', DEPLOYERS],
]

/** Approvers look whether something waits for them. */
async function approveWaiting(play: Play, service: ServiceName): Promise<void> {
  const { chance, watch } = play.simulation
  const waiting = watch.documents.service(`${service.namespace}/${service.name}`)?.rollouts ?? []
  for (const { id, phase } of waiting) {
    if (phase !== 'awaiting-approval') continue
    const operation: Operation = {
      method: 'POST',
      path: `/rollouts/${id}/approve`,
      as: pick(chance, APPROVERS),
      body: {},
      key: nextKey(play),
    }
    await callOnce(play, service, operation)
  }
}

async function doVerb(play: Play, service: ServiceName): Promise<void> {
  const { chance } = play.simulation
  const [verb, people] = pick(chance, VERBS)
  const newest = play.rollouts.at(-1)
  const path = newest && chance.next() < 0.5 ? `/rollouts/${newest.id}/${verb}` : `${pathOf(service)}/${verb}`
  const as = pick(chance, people)
  await callOnce(play, service, { method: 'POST', path, as, body: { note: 'so be it' }, key: nextKey(play) })
}

/** A pipeline that did not get its answer sends its request again, much later: it must have no effect. */
async function repeat(play: Play): Promise<void> {
  const { client, watch, chance } = play.simulation
  if (play.done.length === 0) return
  const { id, operation } = pick(chance, play.done)
  const path = operation.path.split('?')[0] ?? ''
  const { reply } = await client.call({ ...operation, path, again: true }, 30)
  // A verb on a service is answered with the rollout that it means now.
  if (reply && reply.status < 300 && path.endsWith('/rollouts') && reply.json.id !== id) {
    watch.broke(`${operation.key} gave ${String(id)}, then ${String(reply.json.id)}`)
  }
}

async function changeService(play: Play, service: ServiceName): Promise<void> {
  const { chance } = play.simulation
  const body = play.ledger.body(service)
  if (!body) return reregister(play, service)
  const traffic = pick(chance, [
    { timeout: `${pick(chance, [1, 2, 3, 5])}s` },
    { retries: { attempts: pick(chance, [0, 1, 2]) } },
    { timeout: '4s', retries: { attempts: 2, perTryTimeout: '1s' } },
    undefined,
  ])
  const { traffic: _before, ...rest } = body
  await play.ledger.put(service, traffic === undefined ? rest : { ...rest, traffic })
}

async function moveService(play: Play, service: ServiceName): Promise<void> {
  const { chance } = play.simulation
  const body = play.ledger.body(service)
  if (!body) return reregister(play, service)
  const some = play.clusters.filter(() => chance.next() < 0.6)
  await play.ledger.put(service, { ...body, clusters: chance.next() < 0.3 ? { matchLabels: { env: 'prod' } } : some })
}

async function reregister(play: Play, service: ServiceName): Promise<void> {
  await play.ledger.put(service, serviceBody(play.clusters))
}

async function deleteService(play: Play, service: ServiceName): Promise<void> {
  // With the service go the keys that it remembers.
  play.keys.deletions += 1
  play.done = play.done.filter((one) => one.service !== service)
  await play.ledger.remove(service)
}

function spoil(
  play: Play,
  cluster: string,
  service: ServiceName,
  version: Version,
  change: Partial<typeof GOOD>,
): void {
  const key = `${service.namespace}/${service.name} ${version}`
  const isWorse = (change.errorPercent ?? 0) > 1 || (change.latencyMs ?? 0) > 100
  if (isWorse && !play.bad.has(key)) play.bad.set(key, play.simulation.time.now())
  behave(play.simulation, cluster, service, version, change)
}

async function misbehave(play: Play, service: ServiceName, cluster: string): Promise<void> {
  const { chance } = play.simulation
  const change = pick(chance, [
    { errorPercent: 20 },
    { errorPercent: 60 },
    { latencyMs: 2000 },
    { silent: true },
    GOOD,
    GOOD,
  ])
  spoil(play, cluster, service, pick(chance, VERSIONS), change)
}

/** Pods go and come back, where there is one mostly those of a candidate. */
async function losePods(play: Play, service: ServiceName, cluster: string): Promise<void> {
  const { chance, time, watch } = play.simulation
  const live = watch.documents.service(`${service.namespace}/${service.name}`)?.rollouts ?? []
  const candidates = VERSIONS.filter((version) => live.some(({ candidate }) => candidate === version))
  const version = pick(chance, candidates.length > 0 && chance.next() < 0.7 ? candidates : VERSIONS)
  behave(play.simulation, cluster, service, version, { pods: 0 })
  await time.sleep(Math.round(60_000 * chance.next()))
  behave(play.simulation, cluster, service, version, { pods: 2 })
}

async function loseCluster(play: Play, _service: ServiceName, cluster: string): Promise<void> {
  const { surroundings, chance, time } = play.simulation
  const spec = surroundings.world.cluster(cluster)?.spec
  if (!spec) return
  surroundings.world.putCluster(cluster, { ...spec, reachable: false })
  await time.sleep(Math.round(1000 * (chance.next() < 0.1 ? 7200 : 240) ** chance.next()))
  surroundings.world.putCluster(cluster, { ...(surroundings.world.cluster(cluster)?.spec ?? spec), reachable: true })
}

async function loseMetrics(play: Play, _service: ServiceName, cluster: string): Promise<void> {
  const { surroundings, chance, time } = play.simulation
  const spec = surroundings.world.cluster(cluster)?.spec
  if (!spec) return
  surroundings.world.putCluster(cluster, { ...spec, metrics: pick(chance, ['late', 'down', 'unavailable']) })
  await time.sleep(Math.round(1000 * 120 ** chance.next()))
  surroundings.world.putCluster(cluster, { ...(surroundings.world.cluster(cluster)?.spec ?? spec), metrics: 'up' })
}

async function meddle(play: Play, service: ServiceName, cluster: string): Promise<void> {
  const { chance, time } = play.simulation
  const { hands } = play
  const deed = chance.next()
  if (deed < 0.3) await hands.moveWeights(cluster, service, pick(chance, [0, 30, 100]))
  else if (deed < 0.4) await hands.dropSideRoutes(cluster, service)
  else if (deed < 0.6) await hands.removeRoute(cluster, service)
  else if (deed < 0.75) await hands.addField(cluster, service)
  else if (await hands.rival(cluster, service, true)) {
    await time.sleep(Math.round(90_000 * chance.next()))
    await hands.rival(cluster, service, false)
  }
}

async function holdWrites(play: Play, service: ServiceName, cluster: string): Promise<void> {
  const { chance, time } = play.simulation
  const what = pick(chance, ['namespace', 'route'] as const)
  if (!(await play.hands.hold(cluster, what, service, true))) return
  await time.sleep(Math.round(120_000 * chance.next()))
  await play.hands.hold(cluster, what, service, false)
}

async function freeze(play: Play, service: ServiceName): Promise<void> {
  const { chance, client, time } = play.simulation
  const scope = pick(chance, [
    {},
    { services: [`${service.namespace}/${service.name}`] },
    { clusters: [play.clusters[0]] },
  ])
  const body = { reason: 'quarter end', scope, ...(chance.next() < 0.4 ? { covers: ['rollouts'] } : {}) }
  const name = `f${play.keys.next}`
  await client.call({ method: 'PUT', path: `/freezes/${name}`, as: 'operator', body, key: nextKey(play) }, 30)
  await time.sleep(Math.round(120_000 * chance.next()))
  await client.call({ method: 'DELETE', path: `/freezes/${name}`, as: 'operator' }, 100)
}

/** A process dies in the midst of its work on a rollout, as far as one comes along within a minute. */
async function crash({ simulation }: Play): Promise<void> {
  const { fleet, time, chance } = simulation
  const isBusy = ({ running }: Instance) => [...running].some(({ name }) => /^advance |^reconcile |rollouts/.test(name))
  for (const until = time.now() + 60_000; time.now() < until; await time.sleep(Math.round(1 + 50 * chance.next()))) {
    const busy = fleet.live().find(isBusy)
    if (busy) return fleet.kill(busy)
  }
  const [first] = fleet.live()
  if (first) fleet.kill(first)
}

async function cutWire({ simulation }: Play, _service: ServiceName, cluster: string): Promise<void> {
  const { chance, fleet, network, surroundings } = simulation
  const azure = [...(surroundings.arm ? ['arm'] : []), ...(surroundings.azure ? ['graph', 'chat/slack'] : [])]
  const always = ['vault', 'identity', 'webhook']
  const system = pick(chance, [
    ...always,
    'cosmos',
    'queues',
    `kubernetes/${cluster}`,
    `prometheus/${cluster}`,
    ...azure,
  ])
  network.cutWire(fleet.pick(), system, Math.round(1000 * 90 ** chance.next()))
}

async function changeCluster(play: Play, _service: ServiceName, cluster: string): Promise<void> {
  const { chance, time } = play.simulation
  const put = (more: object): Promise<Called> =>
    play.simulation.client.call({ ...putCluster(play.simulation, cluster, more), key: nextKey(play) }, 100)
  await put(pick(chance, [{ mode: 'observe' }, { labels: { env: 'test', ring: 'rest' } }]))
  await time.sleep(Math.round(60_000 * chance.next()))
  await put({})
}
