import { isDeepStrictEqual } from 'node:util'
import { routeWeights } from '../../../src/mesh/istio/route.ts'
import { findCondition } from '../../../src/model/condition.ts'
import {
  type AnyDocument,
  keyOf,
  type PlacementDocument,
  type RolloutDocument,
  type ServiceDocument,
} from '../../../src/model/documents.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import { heldOn, servicePolicy } from '../../../src/model/policy/service-policy.ts'
import { AWAITING_PHASES, isTerminal, type Rollout } from '../../../src/model/rollout.ts'
import type { Simulation } from '../simulation.ts'
import { idOf } from '../watch/documents.ts'
import { askedBy, type Sides, sameSplit } from '../watch/kinds.ts'
import { liveSides } from '../watch/live-sides.ts'

import { isNotedOnce, meshCaLeft } from './mesh-ca-story.ts'
import { certificateLeft } from './settle-certificates.ts'

const LOOK_MS = 10_000
const RESYNC_MS = 300_000

/** Waits until nothing is left to do; breaks when that takes longer than it may. */
export async function settle(simulation: Simulation, longestMs: number): Promise<void> {
  const { time, watch } = simulation
  const until = time.now() + longestMs
  for (let quiet = 0; quiet < 3; ) {
    await time.sleep(LOOK_MS)
    const left = workLeft(simulation)
    quiet = left.length === 0 ? quiet + 1 : 0
    if (time.now() < until || left.length === 0) continue
    watch.broke(`it has not settled after ${longestMs / 60_000} minutes: ${left.join('; ')}`)
    return
  }
}

/** Looks at certificates that wait for a person go on, and looks at clusters for ever: documents say what is left. */
const LOOKS = /"kind":"(rotate|deliver|rotate-ca|trust|watch)"/
const LOOKED_AT: readonly AnyDocument['kind'][] = ['certificate', 'delivery', 'mesh-ca', 'trust', 'found']

/** What still has to be done by itself: messages, outboxes, due documents, moving rollouts. */
export function workLeft({ surroundings, watch }: Simulation): readonly string[] {
  const documents = watch.documents.all()
  const watched = servicesOf(documents).filter(isOnlyWatched)
  const stuck = servicesOf(documents).filter(isStuck)
  const messages = ['urgent', 'work', 'lifecycle'].flatMap((queue) =>
    [...surroundings.storage.table(`queue/${queue}`).entries()]
      .map(([, message]) => (message as { readonly text: string }).text)
      .filter((text) => !LOOKS.test(text) && !watched.some((service) => advances(text, service)))
      .filter((text) => !stuck.some((service) => isWave(text, service)))
      .map((text) => `${queue}: ${text}`),
  )
  const unsent = documents.flatMap((document) =>
    document.outbox.map((entry) => `${document.kind} ${keyOf(document)} has not sent ${entry.id}`),
  )
  const due = documents
    .filter(({ dueAt, kind }) => dueAt !== undefined && !LOOKED_AT.includes(kind))
    .filter((one) => ![...watched, ...stuck].some((service) => service === one))
    .map((one) => `${one.kind} ${keyOf(one)} is due`)
  const moving = servicesOf(documents).flatMap((service) =>
    service.rollouts
      .filter(({ phase }) => !AWAITING_PHASES.includes(phase))
      .map((rollout) => `${rollout.id} is ${rollout.phase}: ${rollout.message}`),
  )
  const leaving = servicesOf(documents).filter(({ leaving, deletingAt }) => leaving.length > 0 || deletingAt)
  const certificates = documents.flatMap((one) => [...certificateLeft(one), ...meshCaLeft(one)])
  return [
    ...certificates,
    ...messages,
    ...unsent,
    ...due,
    ...moving,
    ...leaving.map((one) => `${keyOf(one)} has not left`),
  ]
}

/** Every rollout waits for a person; their gates look on, and that never ends by itself. */
function isOnlyWatched({ rollouts }: ServiceDocument): boolean {
  return rollouts.length > 0 && rollouts.every(({ phase }) => AWAITING_PHASES.includes(phase))
}

/** A wave waits for what a person has to settle on a cluster, and is looked at now and then. */
function isStuck({ spread, rollouts }: ServiceDocument): boolean {
  return spread?.applied.reason === 'Stuck' && rollouts.every(({ phase }) => AWAITING_PHASES.includes(phase))
}

function isWave(text: string, service: ServiceDocument): boolean {
  return text.includes('"kind":"wave"') && text.includes(`"service":"${keyOf(service)}"`)
}

function advances(text: string, service: ServiceDocument): boolean {
  return text.includes('"kind":"advance"') && text.includes(`"service":"${keyOf(service)}"`)
}

function servicesOf(documents: ReturnType<Simulation['watch']['documents']['all']>): readonly ServiceDocument[] {
  return documents.filter((document) => document.kind === 'service')
}

/** After everything settled: what documents ask for is on the clusters, or a condition says why not; nothing else is. */
export function checkSettled({ watch, surroundings }: Simulation): void {
  const documents = watch.documents.all()
  const services = servicesOf(documents)
  const placements = documents.filter((document) => document.kind === 'placement')
  for (const service of services) {
    const asked = askedBy(service)
    for (const [cluster, weights] of Object.entries(asked.weights)) {
      const placement = placements.find((one) => one.service === keyOf(service) && one.cluster === cluster)
      const kubernetes = surroundings.clusters.get(cluster)?.kubernetes
      const route = kubernetes?.get(ISTIO, 'VirtualService', service.namespace, service.name)
      const why =
        mismatch(service, placement, route as unknown as KubeObject | undefined, weights) ??
        sidesLeft(placement, route as unknown as KubeObject | undefined, asked.sides[cluster] ?? []) ??
        outdated(watch, service, placement, weights) ??
        otherWords(
          service,
          watch.documents.get(`cluster/${cluster}`),
          placement,
          route as unknown as KubeObject | undefined,
        )
      if (why !== undefined) watch.broke(`${keyOf(service)} on ${cluster}: ${why}`)
    }
  }
  for (const { service, cluster } of placements) {
    const wanted = services.some((one) => keyOf(one) === service && Object.hasOwn(one.targets, cluster))
    if (!wanted) watch.broke(`placement ${service}/${cluster} is left over`)
  }
  checkEnds(
    watch,
    documents.filter((document) => document.kind === 'rollout'),
  )
}

const ISTIO = 'networking.istio.io/v1'

/** Undefined when the route is what is asked for, or the placement says what stands in the way. */
function mismatch(
  service: ServiceDocument,
  placement: PlacementDocument | undefined,
  route: KubeObject | undefined,
  weights: Readonly<Record<string, number>>,
): string | undefined {
  if (!placement) return 'there is no placement'
  const condition = (type: string) => placement.conditions.find((one) => one.type === type)
  const obstacle = ['Conflict', 'Drifted', 'Held', 'Frozen'].find((type) => condition(type)?.status === 'True')
  const unready = condition('Ready')?.status !== 'True'
  if (obstacle !== undefined || unready) {
    const { reason = 'nothing' } = condition('Ready') ?? {}
    return obstacle !== undefined || EXCUSES.includes(reason) ? undefined : `it is not ready: ${reason}`
  }
  const { observedGeneration } = placement
  // Until its wave comes a cluster is asked nothing.
  const isHeld = heldOn(service, placement.cluster) !== undefined
  if (!isHeld && observedGeneration !== service.generation)
    return `generation ${observedGeneration}, not ${service.generation}`
  const live = route && routeWeights(route)
  if (live && sameSplit(live, weights)) return undefined
  return `the route sends ${JSON.stringify(live)}, asked is ${JSON.stringify(weights)}`
}

/** Besides its split, a route that is ready bears just what is asked: nothing is left of a rollout that is over. */
function sidesLeft(placement: PlacementDocument | undefined, route: KubeObject | undefined, sides: Sides) {
  if (!route || !placement || !isLeftAlone(placement)) return undefined
  const live = liveSides(route)
  if (isDeepStrictEqual(live, sides)) return undefined
  return `beside its split the route has ${JSON.stringify(live)}, asked is ${JSON.stringify(sides)}`
}

/** All is written, and nobody stands in the way. */
function isLeftAlone({ conditions }: PlacementDocument): boolean {
  if (findCondition(conditions, 'Ready')?.status !== 'True') return false
  return !['Conflict', 'Drifted', 'Held', 'Frozen'].some((type) => findCondition(conditions, type)?.status === 'True')
}

/** A later revision than the live one may be about other clusters only. */
function outdated(
  watch: Simulation['watch'],
  service: ServiceDocument,
  placement: PlacementDocument | undefined,
  weights: Readonly<Record<string, number>>,
): string | undefined {
  if (!placement || findCondition(placement.conditions, 'Ready')?.status !== 'True') return undefined
  if (heldOn(service, placement.cluster)) return undefined
  const live = watch.documents.asked(keyOf(service), placement.liveRevision)
  const same = isDeepStrictEqual(live?.spec, service.spec) && sameSplit(live?.weights[placement.cluster] ?? {}, weights)
  return same ? undefined : `revision ${placement.liveRevision} is live, not ${service.renderRevision}`
}

/** A cluster carries what the service says there: the newest, or what it said before where a wave has yet to come. */
function otherWords(
  service: ServiceDocument,
  cluster: AnyDocument | undefined,
  placement: PlacementDocument | undefined,
  route: KubeObject | undefined,
): string | undefined {
  if (!route || cluster?.kind !== 'cluster' || !placement || !isLeftAlone(placement)) return undefined
  const wanted = servicePolicy(service, cluster).policy.traffic?.timeout
  const { http = [] } = route.spec as { http?: readonly { timeout?: string }[] }
  const has = http.at(-1)?.timeout
  return has === wanted ? undefined : `its timeout is ${has}, asked is ${wanted}`
}

/** Reasons that a person has to settle, or pods. */
const EXCUSES = ['WaitingForEndpoints', 'FencedOff']

/** What a call wrote that was slow and late is found by the next resync. */
function checkNoOrphans({ watch, surroundings }: Simulation): void {
  const services = servicesOf(watch.documents.all())
  for (const { name, kubernetes } of surroundings.clusters.values()) {
    for (const kind of ['VirtualService', 'DestinationRule']) {
      for (const { metadata } of kubernetes.list(ISTIO, kind)) {
        const key = metadata.annotations?.['meshwright.io/service']
        if (metadata.labels?.['app.kubernetes.io/managed-by'] !== 'meshwright' || key === undefined) continue
        const wanted = services.some((one) => keyOf(one) === key && Object.hasOwn(one.targets, name))
        // What stands in no inventory is removed by people, once they were told.
        const told = watch.orphansTold.some((message) =>
          message.includes(`${kind} ${metadata.namespace}/${metadata.name}`),
        )
        if (!wanted && !told)
          watch.broke(`${kind} ${metadata.namespace}/${metadata.name} on ${name} belongs to no service`)
      }
    }
  }
}

function checkEnds(watch: Simulation['watch'], ended: readonly RolloutDocument[]): void {
  for (const { rollout } of ended) {
    if (!isTerminal(rollout.phase)) watch.broke(`${rollout.id} was copied out as ${rollout.phase}`)
    for (const { from, to, at } of rollout.history) {
      const event = `${rollout.id}:${at}.${from}.${to}`
      if (!watch.events.has(event)) watch.broke(`there is no event of ${rollout.id} going to ${to} at ${at}`)
    }
    if (isHarmed(rollout) && rollout.phase === 'succeeded' && !byHand(rollout)) {
      watch.broke(`${rollout.id} succeeded though a gate said harm`)
    }
  }
}

/** Did a gate say harm anywhere? */
export function hasHarm(rollout: Rollout): boolean {
  return rollout.progress.some(({ last }) => last?.verdict === 'harm')
}

/** Did one say harm on a cluster that the rollout did not go on without? */
export function isHarmed({ progress, targets }: Rollout): boolean {
  const out = targets.filter((target) => target.out !== undefined).map(({ cluster }) => cluster)
  return progress.some(({ last, cluster }) => last?.verdict === 'harm' && !out.includes(cluster))
}

/** Did a person end it, whatever the gates said? */
export function byHand({ history }: Rollout): boolean {
  return history.some(({ to, actor, reason }) => {
    const forward = to === 'promoting' || to === 'succeeded'
    return reason === 'NextRollout' || (forward && (actor.kind === 'person' || actor.kind === 'application'))
  })
}

/** Waits for what tells of all that nobody told of: objects that others removed, metrics that are back. */
export async function nextResync({ time }: Simulation): Promise<void> {
  await time.sleep(RESYNC_MS - (time.now() % RESYNC_MS) + 20_000)
}

/** Sweeps every half minute, a resync and a probe every five, a scan an hour: so many requests for two clusters. */
const MOST_IDLE_REQUESTS = 3000
const LONG_ENOUGH_MS = 300_000

/** A while in which nothing may be written any more: conditions do not flap. It begins after a resync. */
export async function idle(simulation: Simulation, durationMs: number): Promise<void> {
  const { time, watch, network } = simulation
  await nextResync(simulation)
  const untold = watch.certificates.untold()
  const meshCas = new Map(watch.documents.all().flatMap((one) => (one.kind === 'mesh-ca' ? [[idOf(one), one]] : [])))
  const [documents, objects, requests] = [watch.documentWrites.length, watch.objects.writes(), network.requests()]
  await time.sleep(durationMs)
  if (untold.length > 0) return checkSettled(simulation)
  // What stays as another hand left it is looked at again and again.
  // An hourly look at what a cluster trusts plans the next.
  const writes = watch.documentWrites.slice(documents)
  const written = writes
    .filter((id) => !id.startsWith('trust/') && !isReported(watch.documents.get(id)))
    .filter((id) => !isNotedOnce(meshCas.get(id), watch.documents.get(id), writes))
  if (written.length > 0) watch.broke(`it wrote while idle: ${written.join(', ')}`)
  if (watch.objects.writes() > objects) watch.broke(`it wrote ${watch.objects.writes() - objects} objects while idle`)
  const hourly = Math.round((network.requests() - requests) / (durationMs / 3_600_000))
  simulation.trace.add(`${hourly} requests an hour while idle`)
  if (durationMs >= LONG_ENOUGH_MS && hourly > MOST_IDLE_REQUESTS)
    watch.broke(`it made ${hourly} requests an hour while idle`)
  checkSettled(simulation)
  checkNoOrphans(simulation)
}

function isReported(document: AnyDocument | undefined): boolean {
  // When a place was looked at is written down each time: the report says how fresh it is.
  if (document?.kind === 'found') return true
  return document?.kind === 'placement' && findCondition(document.conditions, 'Drifted')?.status === 'True'
}
