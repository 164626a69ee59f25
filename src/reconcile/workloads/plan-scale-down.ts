import { bearsMarks, COPIED_FROM, REVISION, ROLLOUT, SCALED_DOWN } from '../../mesh/marks.ts'
import { matchesLabels } from '../../model/active-freezes.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import type { RetiredVersion, ScaledDown } from '../../model/retired.ts'
import { serviceKey } from '../../model/service.ts'
import { holds, refKey } from '../content.ts'
import { SETTLE_MS } from '../deps.ts'
import { entryFor } from '../drift.ts'
import { toolOf } from '../owners.ts'
import { forbids } from '../permission.ts'

import { LOOK_AGAIN_MS, type Situation, type Stop } from '../situation.ts'
import { fenceStop, type Write } from '../write.ts'
import { podLabels, replicasOf } from './deployment.ts'
import { labelsOf } from './find-source.ts'
import { pendingRetired } from './image-rollout.ts'
import { autoscalerOf, deploymentsUnseen, describeAutoscaler, type Neighbour, type WorkloadsSeen } from './workloads.ts'

/** What is to be done about one retired version now: a write, or nothing for a reason, or to come again (epoch ms). */
export interface ScaleDown {
  readonly retired: RetiredVersion
  readonly write?: Write
  readonly outcome?: Pick<ScaledDown, 'status' | 'reason' | 'message'>
  readonly again?: number
  /** Why it waits, when not for requests under way. */
  readonly stop?: Pick<Stop, 'reason' | 'message'>
}

/** Requests that were under way when the route changed are given so many settle times to end (30 s by default). */
const DRAIN_SETTLES = 6

/**
 * Scales the Deployments to 0 that rollouts by `image` left without requests, once the route has been without them for the
 * drain time. `written` names the objects that this pass writes. One try each: what an autoscaler or a tool owns, or what
 * serves something else, is left alone for good. Pure.
 */
export function planScaleDowns(situation: Situation, written: ReadonlySet<string>): readonly ScaleDown[] {
  const { service, cluster, placement, observed } = situation
  const seen = observed.workloads
  if (!seen) return []
  const drained = drainedAt(situation, written)
  return pendingRetired(service, placement, cluster.name).map((retired) => {
    return drained > situation.now ? { retired, again: drained } : { retired, ...decide(situation, seen, retired) }
  })
}

/** When requests that knew an older route are through, in epoch milliseconds. */
function drainedAt(situation: Situation, written: ReadonlySet<string>): number {
  const { rendered, observed, placement, provider, now } = situation
  const drainMs = DRAIN_SETTLES * (situation.settleMs ?? SETTLE_MS)
  const since = rendered
    .filter(({ object }) => provider.liveWeights(object) !== undefined)
    .map(({ object: route }) => {
      const live = observed.objects.get(refKey(refOf(route)))
      const entry = entryFor(placement?.objects, refOf(route))
      const stands = live && entry && holds(live, route) && !written.has(refKey(refOf(route)))
      return stands ? Date.parse(entry.changedAt) : now
    })
  return (since.length === 0 ? now : Math.max(...since)) + drainMs
}

function decide(situation: Situation, seen: WorkloadsSeen, retired: RetiredVersion): Omit<ScaleDown, 'retired'> {
  if (!seen.deployments) return { again: situation.now + LOOK_AGAIN_MS, stop: deploymentsUnseen(situation.service) }
  const deployment = loserOf(situation, seen.deployments, retired)
  if (!deployment) return { outcome: missing(retired) }
  if (replicasOf(deployment) === 0) return { outcome: doneOutcome(retired, deployment) }
  // It was, and somebody started it again.
  if (deployment.metadata.annotations?.[SCALED_DOWN] === retired.rollout)
    return { outcome: doneOutcome(retired, deployment) }
  const kept = whyKept(situation, seen, retired, deployment)
  if (kept) return { outcome: { status: 'kept', ...kept } }
  const stop = forbids(situation, 'structure', deployment) ?? fenceStop(situation, deployment)
  if (stop) return { again: typeof stop.again === 'number' ? stop.again : situation.now + LOOK_AGAIN_MS, stop }
  const object = scaledToZero(situation, retired, deployment)
  return {
    write: { object, live: deployment, effect: 'structure', force: true },
    outcome: doneOutcome(retired, deployment),
  }
}

function doneOutcome({ version }: RetiredVersion, deployment: KubeObject): NonNullable<ScaleDown['outcome']> {
  const message = `${describeRef(refOf(deployment))} (${version}) was scaled to 0.`
  return { status: 'done', reason: 'Done', message }
}

/** What was never made needs no scaling; what was copied may run under another name. */
function missing({ version, made, loser }: RetiredVersion): NonNullable<ScaleDown['outcome']> {
  if (loser === 'made')
    return {
      status: 'done',
      reason: 'Done',
      message: `There is no Deployment ${made} (${version}) that the rollout made.`,
    }
  const message = `The Deployment of ${version} is not found any more: ${made} or what it was copied from is gone.`
  return { status: 'kept', reason: 'NotFound', message }
}

/** A Deployment that only has the name of the copy is another's: the rollout may have ended before it made its own. */
function loserOf(
  { service }: Situation,
  deployments: readonly KubeObject[],
  { made, loser, rollout }: RetiredVersion,
): KubeObject | undefined {
  const byName = (name: string | undefined) => deployments.find(({ metadata }) => metadata.name === name)
  const named = byName(made)
  const isOurs = named !== undefined && bearsMarks(named.metadata, serviceKey(service.namespace, service.name))
  const copy = isOurs && named.metadata.annotations?.[ROLLOUT] === rollout ? named : undefined
  return loser === 'made' ? copy : byName(copy?.metadata.annotations?.[COPIED_FROM]?.split('@')[0])
}

/** Why a Deployment is left as it is; undefined when nothing is in the way. */
function whyKept(
  { service, weights }: Situation,
  seen: WorkloadsSeen,
  { version, labels }: RetiredVersion,
  deployment: KubeObject,
): { reason: string; message: string } | undefined {
  const ref = describeRef(refOf(deployment))
  const pods = podLabels(deployment)
  const left = `${ref} (${version}) is left running`
  if (!matchesLabels(pods, labels)) {
    return { reason: 'Changed', message: `${left}: its Pods do not bear the labels of ${version} any more.` }
  }
  const served = Object.keys(weights).find((name) => matchesLabels(pods, labelsOf(service, name)))
  const other = seen.neighbours.find((one) => serves(one, pods))
  if (served !== undefined || other) {
    return { reason: 'StillServes', message: `${left}: its Pods serve ${served ?? other?.service} too.` }
  }
  const tool = toolOf(deployment)
  if (tool !== undefined && tool !== 'Helm') {
    return { reason: 'OwnedByTool', message: `${left}: ${tool} owns it and would start it again. Scale it down there.` }
  }
  if (!seen.autoscalers) {
    return { reason: 'AutoscalersNotSeen', message: `${left}: whether an autoscaler scales it may not be looked at.` }
  }
  const scaler = autoscalerOf(seen, deployment.metadata.name)
  if (!scaler) return undefined
  const message = `${left}: ${describeAutoscaler(scaler)} scales it. Delete the autoscaler, then scale it down.`
  return { reason: 'HasAutoscaler', message }
}

/** A Kubernetes Service without a selector has endpoints of other making. */
function serves({ labels, selector }: Neighbour, pods: Readonly<Record<string, string>>): boolean {
  return Object.keys(selector).length > 0 && matchesLabels(pods, labels) && matchesLabels(pods, selector)
}

/** A Deployment that we made is applied whole, for an apply drops what it does not name; of another's only the count is ours. */
function scaledToZero({ service }: Situation, { rollout }: RetiredVersion, deployment: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, spec } = deployment
  const { name, namespace = service.namespace, labels = {}, annotations = {} } = metadata
  const marks = { [REVISION]: String(service.renderRevision), [SCALED_DOWN]: rollout }
  if (!bearsMarks(metadata, serviceKey(service.namespace, service.name))) {
    return { apiVersion, kind, metadata: { name, namespace, annotations: marks }, spec: { replicas: 0 } }
  }
  const own = Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('meshwright.io/')))
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, annotations: { ...own, ...marks } },
    spec: { ...spec, replicas: 0 },
  }
}
