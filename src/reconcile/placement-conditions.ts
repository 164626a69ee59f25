import { retirement } from '../mesh/provider.ts'
import { type Condition, type ConditionInput, findCondition, setCondition } from '../model/condition.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import { refOf } from '../model/kube.ts'
import type { PlacementCondition } from '../model/placement.ts'
import { endpointsMessage } from './barriers.ts'
import { refKey } from './content.ts'
import { describeAdditions } from './drift.ts'
import { heldObject, standingHold } from './permission.ts'
import type { HostPart, Situation, Stop } from './situation.ts'

/** A condition as a pass found it. */
export interface Finding {
  readonly type: PlacementCondition
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

const CLEAR: Readonly<Record<'Conflict' | 'Drifted' | 'Held' | 'Frozen', string>> = {
  Conflict: 'No object of others stands in the way.',
  Drifted: 'Our objects are as they were written.',
  Held: 'Nothing holds writes.',
  Frozen: 'No freeze stopped the last write.',
}

/** Conditions after `findings`. An abnormal one that was never there is not added just to say False. */
export function withFindings(
  conditions: readonly Condition[],
  findings: readonly Finding[],
  observedGeneration: number,
  now: string,
): readonly Condition[] {
  let next: readonly Condition[] = conditions
  for (const finding of findings) {
    const abnormal = Object.hasOwn(CLEAR, finding.type)
    if (abnormal && finding.status === 'False' && !findCondition(conditions, finding.type)) continue
    const input: ConditionInput = { ...finding, observedGeneration }
    next = setCondition(next, input, now)
  }
  return next
}

/** What a pass over a cluster found, all but Ready. `stop` is what ended it early. */
export function findingsOf(situation: Situation, stop: Stop | undefined): readonly Finding[] {
  return [
    { type: 'Reachable', status: 'True', reason: 'Answers', message: 'The cluster answers.' },
    situation.host ? routesFinding(situation.host) : endpointsFinding(situation),
    ...boundFindings(situation),
    ...apartFindings(situation),
    ...retiringFindings(situation),
    ...abnormal(situation, stop),
  ]
}

function routesFinding({ routes, waits }: HostPart): Finding {
  const type = 'RoutesReady' as const
  if (waits) return { type, status: 'False', reason: waits.reason, message: waits.message }
  const message = `${routes.length} paths lead to their services.`
  return { type, status: 'True', reason: 'Ready', message }
}

function endpointsFinding(situation: Situation): Finding {
  const { weights, observed } = situation
  const missing = Object.keys(weights)
    .sort()
    .filter((version) => (observed.versions[version]?.ready ?? 0) < 1)
  if (missing.length === 0) {
    return {
      type: 'EndpointsReady',
      status: 'True',
      reason: 'Ready',
      message: 'Every version of the route has ready endpoints.',
    }
  }
  const message = endpointsMessage(situation, missing)
  return { type: 'EndpointsReady', status: 'False', reason: 'NoReadyEndpoints', message }
}

function retiringFindings({ provider: { name, retires } }: Situation): readonly Finding[] {
  if (!retires) return []
  return [{ type: 'MeshMaintained', status: 'False', reason: 'Retires', message: `${name}: ${retirement(retires)}` }]
}

/** A typo in `workload` would bind rules to no Pod, and nothing of the mesh tells. */
function boundFindings({ service, placement, observed: { unbound } }: Situation): readonly Finding[] {
  const type = 'PodsBound' as const
  if (!unbound) {
    const message = 'The service names no labels of all its Pods.'
    const was = findCondition(placement?.conditions ?? [], type)
    return was ? [{ type, status: 'Unknown', reason: 'NoWorkload', message }] : []
  }
  if (unbound.length === 0)
    return [{ type, status: 'True', reason: 'Bound', message: 'Every ready Pod has the labels of workload.' }]
  const labels = Object.entries(service.spec.workload?.labels ?? {}).map(([key, value]) => `${key}=${value}`)
  const message = `Ready Pods of ${unbound.join(', ')} lack labels of workload (${labels.join(', ')}): rules for the Pods of the service do not hold for them.`
  return [{ type, status: 'False', reason: 'WorkloadDiffers', message }]
}

/** Told anew in each pass before the first step, kept while the rollout goes on, and taken back when it is over. */
function apartFindings({ service, cluster, placement, observed: { overlaps } }: Situation): readonly Finding[] {
  const type = 'VersionsApart' as const
  if (overlaps?.overlap !== undefined)
    return [{ type, status: 'False', reason: 'SelectorsOverlap', message: overlaps.overlap }]
  if (overlaps && overlaps.unseen.length > 0)
    return [{ type, status: 'Unknown', reason: 'NotSeen', message: `Not all was seen: ${overlaps.unseen.join('; ')}.` }]
  if (overlaps)
    return [{ type, status: 'True', reason: 'Apart', message: 'No selector catches Pods of both versions.' }]
  const isOver = !liveRolloutOn(service, cluster.name) && findCondition(placement?.conditions ?? [], type)
  const message = 'Selectors are looked at before the first step of a rollout.'
  return isOver ? [{ type, status: 'Unknown', reason: 'NoRollout', message }] : []
}

function abnormal(situation: Situation, stop: Stop | undefined): readonly Finding[] {
  const { observed, rendered } = situation
  const pairs = rendered.flatMap(({ object }) => {
    const live = observed.objects.get(refKey(refOf(object)))
    return live ? [{ live, desired: object }] : []
  })
  const held = standingHold(situation) ?? pairs.map(({ live }) => heldObject(situation, live)).find(Boolean)
  const added = describeAdditions(pairs)
  return [
    raised('Held', stop) ?? raised('Held', held) ?? cleared('Held'),
    raised('Frozen', stop) ?? cleared('Frozen'),
    ...(stop?.condition === 'Conflict' || observed.rivals !== undefined
      ? [raised('Conflict', stop) ?? cleared('Conflict')]
      : []),
    raised('Drifted', stop) ??
      (added === undefined
        ? cleared('Drifted')
        : { type: 'Drifted' as const, status: 'True' as const, reason: 'FieldsAdded', message: added }),
  ]
}

function raised(type: keyof typeof CLEAR, stop: Stop | undefined): Finding | undefined {
  if (stop?.condition !== type) return undefined
  return { type, status: 'True', reason: stop.reason, message: stop.message }
}

function cleared(type: keyof typeof CLEAR): Finding {
  return { type, status: 'False', reason: 'None', message: CLEAR[type] }
}
