import { isDeepStrictEqual } from 'node:util'
import { findCondition } from '../../../src/model/condition.ts'
import {
  type AnyDocument,
  type ClusterDocument,
  keyOf,
  type PlacementDocument,
  type ServiceDocument,
} from '../../../src/model/documents.ts'
import { type Asked, askedBy, type Broke, isSplit } from './kinds.ts'
import { checkOwnWaves } from './own-waves.ts'
import { checkRollouts, type RolloutWatchOptions } from './rollouts.ts'

/** The documents as they are now, and what services asked for at each render revision. */
export interface DocumentWatch {
  /** Call with every stored item of the container `state`; undefined value for a removal. */
  written(id: string, document: AnyDocument | undefined): void
  all(): readonly AnyDocument[]
  /** By the name that `idOf` gives. */
  get(id: string): AnyDocument | undefined
  service(key: string): ServiceDocument | undefined
  asked(service: string, revision: number): Asked | undefined
}

/** `options` are what is known around the rollouts of a service. */
export function watchDocuments(broke: Broke, options: Omit<RolloutWatchOptions, 'broke' | 'away'>): DocumentWatch {
  const documents = new Map<string, AnyDocument>()
  const away = (service: string, cluster: string, since: number) => {
    const { conditions = [] } = (documents.get(`placement/${service}/${cluster}`) ?? {}) as Partial<PlacementDocument>
    const found = findCondition(conditions, 'Reachable')
    return found !== undefined && (found.status === 'False' || Date.parse(found.lastTransitionTime) >= since)
  }
  const asked = new Map<string, Asked>()
  return {
    written(id, document) {
      const before = documents.get(id)
      if (!document) {
        options.holds.written(id, undefined)
        return void documents.delete(id)
      }
      documents.set(id, document)
      const tell = (what: string) => broke(`${document.kind} ${keyOf(document)}: ${what}`)
      options.holds.written(id, document)
      if (document.kind === 'service') {
        checkService(before as ServiceDocument | undefined, document, { ...options, away, broke: tell })
        checkOwnWaves(before as ServiceDocument | undefined, document, (name) => documents.get(name), tell)
        remember(asked, document, tell)
      }
      if (document.kind === 'placement') {
        const service = documents.get(serviceId(document.service)) as ServiceDocument | undefined
        checkPlacement(before as PlacementDocument | undefined, document, service, tell)
      }
      if (document.kind === 'cluster') checkCluster(before as ClusterDocument | undefined, document, tell)
    },
    all: () => [...documents.values()],
    get: (id) => documents.get(id),
    service: (key) => documents.get(serviceId(key)) as ServiceDocument | undefined,
    asked: (service, revision) => asked.get(`${service} ${revision}`),
  }
}

/** As the watch names items: partition and id. */
function serviceId(key: string): string {
  return `service/${key}`
}

/** The name under which the watch keeps a document. */
export function idOf(document: AnyDocument): string {
  return `${document.kind}/${keyOf(document)}`
}

/** One render revision is one render. */
function remember(asked: Map<string, Asked>, service: ServiceDocument, broke: Broke): void {
  const key = `${keyOf(service)} ${service.renderRevision}`
  const next = askedBy(service)
  const known = asked.get(key)
  if (known && !isDeepStrictEqual(known, next)) {
    broke(`revision ${service.renderRevision} asks for ${JSON.stringify(next)} after ${JSON.stringify(known)}`)
  }
  asked.set(key, next)
}

function checkService(before: ServiceDocument | undefined, after: ServiceDocument, options: RolloutWatchOptions): void {
  const { broke } = options
  for (const [cluster, weights] of Object.entries(askedBy(after).weights)) {
    if (!isSplit(weights)) broke(`weights on ${cluster} are ${JSON.stringify(weights)}`)
  }
  const clusters = after.rollouts.flatMap(({ targets }) => targets.map(({ cluster }) => cluster))
  if (new Set(clusters).size < clusters.length) broke(`two live rollouts share a cluster: ${clusters.join(', ')}`)
  // On its way back a rollout may lose a cluster that never answers.
  const forward = after.rollouts.filter(({ phase }) => phase !== 'rolling-back')
  const strays = forward.flatMap(({ targets }) =>
    targets.filter(({ cluster }) => !Object.hasOwn(after.targets, cluster)),
  )
  if (strays.length > 0) broke(`a live rollout is on ${strays[0]?.cluster}, where the service is not to be`)
  if (before && after.generation < before.generation) broke(`generation ${before.generation} → ${after.generation}`)
  if (before && after.renderRevision < before.renderRevision) {
    broke(`render revision ${before.renderRevision} → ${after.renderRevision}`)
  }
  checkRollouts(before, after, options)
}

function checkPlacement(
  before: PlacementDocument | undefined,
  after: PlacementDocument,
  service: ServiceDocument | undefined,
  broke: Broke,
): void {
  if (Object.keys(after.weights).length > 0 && !isSplit(after.weights))
    broke(`weights ${JSON.stringify(after.weights)}`)
  if (service && after.observedGeneration > service.generation) {
    broke(`observedGeneration ${after.observedGeneration} is beyond generation ${service.generation}`)
  }
  if (service && after.liveRevision > service.renderRevision) {
    broke(`liveRevision ${after.liveRevision} is beyond revision ${service.renderRevision}`)
  }
  for (const field of ['observedGeneration', 'liveRevision', 'appliedRevision'] as const) {
    if (before && (after[field] ?? 0) < (before[field] ?? 0)) broke(`${field} ${before[field]} → ${after[field]}`)
  }
  checkConditions(before?.conditions ?? [], after.conditions, broke)
}

function checkCluster(before: ClusterDocument | undefined, after: ClusterDocument, broke: Broke): void {
  if (after.observedGeneration > after.generation) broke('observedGeneration is beyond generation')
  if (before && after.observedGeneration < before.observedGeneration) broke('observedGeneration went down')
  checkConditions(before?.conditions ?? [], after.conditions, broke)
}

type Conditions = PlacementDocument['conditions']

function checkConditions(before: Conditions, after: Conditions, broke: Broke): void {
  const types = after.map(({ type }) => type)
  if (new Set(types).size < types.length) broke(`a condition stands twice: ${types.join(', ')}`)
  for (const condition of after) {
    const was = before.find(({ type }) => type === condition.type)
    const moved = was?.lastTransitionTime !== condition.lastTransitionTime
    if (was && (was.status === condition.status) === moved) {
      broke(
        `${condition.type} went ${was.status} → ${condition.status}, its transition time ${moved ? 'moved' : 'stayed'}`,
      )
    }
  }
}
