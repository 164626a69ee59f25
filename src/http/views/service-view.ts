import * as z from 'zod'
import type { Condition } from '../../model/condition.ts'
import type { PlacementDocument, ServiceDocument } from '../../model/documents.ts'
import { RUNGS } from '../../model/placement.ts'
import type { ServiceSpread } from '../../model/policy/spread.ts'
import { serviceSpec } from '../../model/service.ts'
import { observedGeneration, observedOn } from '../../services/read-placements.ts'
import { conditionView, objectRef, ownedFields, READ_ONLY, time, withWarnings } from './common.ts'
import { mergeConditions } from './merge-conditions.ts'

export const serviceView = z
  .object({
    namespace: z.string(),
    name: z.string(),
    ...serviceSpec.shape,
    ...ownedFields,
    observedGeneration: z.int().describe('Equals generation when every cluster carries the last change'),
    conditions: z.array(conditionView).describe('The worst of the placements, by type; Applied while spread is there'),
    stable: z.record(z.string(), z.string()).describe('The stable version by cluster; only rollouts move it'),
    rollouts: z.array(z.string()).describe('Ids of the live rollouts'),
    policies: z
      .array(z.string())
      .describe('Policies for many services that it carries; GET …/effective shows what holds'),
    spread: z
      .object({
        generation: z.int().describe('Of the service: what is on its way'),
        wave: z.int().describe('From 1; 0 before the first'),
        released: z.array(z.string()).describe('Clusters of the wave that is out'),
        waveAt: time.optional(),
        waiting: z
          .array(z.object({ cluster: z.string(), generation: z.int().describe('Of the policy that holds there') }))
          .describe('Clusters that it has yet to reach'),
      })
      .optional()
      .describe("While a change of the service's own policy goes from cluster to cluster"),
    deletingAt: time.optional(),
  })
  .meta({ id: 'ServiceView' })
export type ServiceView = z.infer<typeof serviceView>

export const SERVICE_READ_ONLY = [
  ...READ_ONLY,
  'observedGeneration',
  'conditions',
  'stable',
  'rollouts',
  'policies',
  'spread',
  'deletingAt',
]

export function viewService(
  document: ServiceDocument,
  placements: readonly PlacementDocument[],
  warnings: readonly string[] = [],
): ServiceView {
  const { namespace, name, spec, generation, deletingAt, targets, spread } = document
  const view: ServiceView = {
    namespace,
    name,
    ...spec,
    generation,
    observedGeneration: observedGeneration(document, placements),
    conditions: [...mergeConditions(placements), ...(spread ? [spread.applied] : [])],
    stable: stableOf(targets),
    rollouts: document.rollouts.map(({ id }) => id),
    policies: [...new Set((document.layers ?? []).map((layer) => layer.name))].sort(),
    ...(spread ? { spread: viewSpread(spread) } : {}),
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    ...(deletingAt === undefined ? {} : { deletingAt }),
  }
  return withWarnings(view, warnings)
}

function viewSpread({ goal, progress, held }: ServiceSpread): NonNullable<ServiceView['spread']> {
  const waiting = held.flatMap(({ clusters, generation }) => clusters.map((cluster) => ({ cluster, generation })))
  const current = progress?.generation === goal ? progress : undefined
  return {
    generation: goal,
    wave: current?.wave ?? 0,
    released: (current?.released ?? []).map(({ cluster }) => cluster),
    ...(current ? { waveAt: current.waveAt } : {}),
    waiting: waiting.sort((a, b) => (a.cluster < b.cluster ? -1 : 1)),
  }
}

export function stableOf(targets: ServiceDocument['targets']): Record<string, string> {
  return Object.fromEntries(Object.entries(targets).map(([cluster, { stable }]) => [cluster, stable]))
}

export const placementView = z
  .object({
    cluster: z.string(),
    stable: z.string().nullable().describe('null when the service is leaving the cluster'),
    rung: z.enum(RUNGS).describe('How sure it is that what is wanted is live'),
    conditions: z.array(conditionView),
    objects: z.array(objectRef).describe('What Meshwright has written on the cluster for the service'),
    weights: z.record(z.string(), z.int()).describe('Whole per cents by version, as last written'),
    sideRoutes: z
      .array(z.object({ kind: z.enum(['match', 'affinity', 'mirror']), version: z.string() }))
      .optional()
      .describe('What goes to a version besides its weight: what matches, clients that had it before, copies'),
    readyEndpoints: z.record(z.string(), z.int()).describe('Ready endpoints by version'),
    observedGeneration: z.int(),
    liveRevision: z.int().describe('Render revision that is live; 0 before the first'),
    liveAt: time.optional(),
    leaving: z.boolean().optional().describe('The service is being removed from the cluster'),
  })
  .meta({ id: 'Placement' })
export type PlacementView = z.infer<typeof placementView>

/** Every cluster where the service is to be or still is, in the order of names. `exposed`: its condition Exposed there. */
export function viewPlacements(
  service: ServiceDocument,
  placements: readonly PlacementDocument[],
  exposed: Readonly<Record<string, Condition>> = {},
): readonly PlacementView[] {
  const clusters = [...new Set([...Object.keys(service.targets), ...service.leaving])].sort()
  return clusters.map((cluster) => {
    const placement = placements.find((other) => other.cluster === cluster)
    return {
      cluster,
      stable: service.targets[cluster]?.stable ?? null,
      rung: placement?.rung ?? 'none',
      conditions: [...(placement?.conditions ?? []), ...(exposed[cluster] ? [exposed[cluster]] : [])],
      objects: (placement?.objects ?? []).map(({ apiVersion, kind, namespace, name }) => ({
        apiVersion,
        kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
      })),
      weights: { ...placement?.weights },
      ...(placement?.sideRoutes === undefined
        ? {}
        : { sideRoutes: placement.sideRoutes.map(({ kind, version }) => ({ kind, version })) }),
      readyEndpoints: Object.fromEntries(
        Object.entries(placement?.versions ?? {}).map(([version, { ready }]) => [version, ready]),
      ),
      observedGeneration: observedOn(service, cluster, placements),
      liveRevision: placement?.liveRevision ?? 0,
      ...(placement?.liveAt === undefined ? {} : { liveAt: placement.liveAt }),
      ...(service.leaving.includes(cluster) ? { leaving: true } : {}),
    }
  })
}
