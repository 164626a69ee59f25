import { isHeld } from '../../mesh/marks.ts'
import type { ProxyPods, ProxyRole } from '../../mesh/trust/proxy-pods.ts'
import type { KubeMetadata, KubeObject } from '../../model/kube.ts'
import type { RestartIntent, WorkloadRef } from '../../model/restarts.ts'
import { selects } from '../label-selector.ts'
import type { Gathered } from './gather-restarts.ts'
import { isRolledOut, mostUnavailable, restartRefusal, wantedPods } from './health.ts'
import { RESTARTED_AT, type Workload, workloadKey } from './workload.ts'

export interface Resolved {
  readonly workloads: readonly Workload[]
  /** Pods that are to be restarted and that nothing makes anew which could be restarted, in words. */
  readonly orphans: readonly string[]
  /** Pods with a proxy that the intent is of. */
  readonly pods: number
}

interface Rules {
  readonly intent: RestartIntent
  readonly proxies: ProxyPods
  /** Namespaces in which a rollout of ours is live, with its service. */
  readonly rollouts: ReadonlyMap<string, string>
  /** Workloads that are told of even when they have no Pod with a proxy now. */
  readonly also?: readonly WorkloadRef[]
}

/** Which workloads make the Pods with a proxy, what the intent wants of them, and what is in the way of a restart. Pure. */
export function resolveWorkloads(gathered: Gathered, rules: Rules): Resolved {
  const { intent, proxies, also = [] } = rules
  const controllers = new Map(gathered.controllers.map((one) => [workloadKey(refOfController(one)), one]))
  const made = new Map<string, KubeMetadata[]>(also.map((ref) => [workloadKey(ref), []]))
  const orphans: string[] = []
  const pods = gathered.pods.filter((pod) => concerns(intent, proxies.roleOf(pod)))
  for (const pod of pods) {
    if (!proxies.isMarked(pod)) {
      if (isOld(pod, rules)) orphans.push(`Pod ${pod.namespace}/${pod.name}: ${UNMARKED}`)
      continue
    }
    const owner = ownerOf(pod)
    const key = owner && `${owner.kind}/${pod.namespace}/${owner.name}`
    const controller = key === undefined ? undefined : controllers.get(key)
    if (key !== undefined && selects(controller?.spec?.selector, pod.labels ?? {}))
      made.set(key, [...(made.get(key) ?? []), pod])
    else if (isOld(pod, rules)) orphans.push(describeOrphan(pod, owner))
  }
  const workloads = [...made].flatMap(([key, own]) => {
    const live = controllers.get(key)
    return live ? [workloadOf(live, own, gathered, rules)] : []
  })
  return { workloads, orphans: orphans.sort(), pods: pods.filter(proxies.isMarked).length }
}

const UNMARKED = 'it bears a label of the mesh, and not the mark that its injector leaves'

/** Of Linkerd the control plane alone, or it and all else; of others what there is. */
function concerns({ controlPlane }: RestartIntent, role: ProxyRole): boolean {
  return role === 'control-plane' ? controlPlane !== undefined : controlPlane !== 'alone'
}

/** Is a Pod to be restarted? By the anchors that it started with where the intent names some, else by its age. */
function isOld(pod: KubeMetadata, { intent, proxies }: Pick<Rules, 'intent' | 'proxies'>): boolean {
  const { olderThan, anchors } = intent
  if (anchors !== undefined && proxies.roleOf(pod) !== 'control-plane') return proxies.anchorsOf(pod) !== anchors
  // What does not tell its age is as good as old.
  return !(Date.parse(pod.creationTimestamp ?? '') > Date.parse(olderThan))
}

interface Owner {
  readonly kind: string
  readonly name: string
}

/**
 * A Deployment names its ReplicaSets by itself and by the hash of their template, which Pods bear as a label: so ReplicaSets, of
 * which old ones stay, are not listed.
 */
function ownerOf({ ownerReferences = [], labels = {} }: KubeMetadata): Owner | undefined {
  const owner = ownerReferences.find(({ controller }) => controller === true) ?? ownerReferences[0]
  const suffix = `-${labels['pod-template-hash']}`
  if (owner?.kind !== 'ReplicaSet' || !owner.name.endsWith(suffix)) return owner
  return { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) }
}

function describeOrphan({ namespace, name }: KubeMetadata, owner: Owner | undefined): string {
  const why = owner ? `${owner.kind} ${owner.name} makes it, which cannot be restarted` : 'nothing would make it anew'
  return `Pod ${namespace}/${name}: ${why}`
}

function refOfController({ kind, metadata }: KubeObject): WorkloadRef {
  return { kind: kind as WorkloadRef['kind'], namespace: metadata.namespace ?? '', name: metadata.name }
}

function workloadOf(live: KubeObject, pods: readonly KubeMetadata[], gathered: Gathered, rules: Rules): Workload {
  const ref = refOfController(live)
  const old = pods.filter((pod) => isOld(pod, rules))
  const [oldestStart = ''] = old.map(({ creationTimestamp = '' }) => creationTimestamp).sort()
  const roles = new Set(pods.map(rules.proxies.roleOf))
  const restartedAt = templateOf(live).annotations?.[RESTARTED_AT]
  const isHeldBack = isHeld(live.metadata) || gathered.heldNamespaces.has(ref.namespace)
  const cannot = isHeldBack ? 'it or its namespace bears meshwright.io/hold' : restartRefusal(live)
  const problem = problemOf(live, gathered, rules)
  return {
    ...ref,
    uid: live.metadata.uid ?? '',
    live,
    role: (['control-plane', 'gateway'] as const).find((role) => roles.has(role)) ?? 'sidecar',
    pods: pods.length,
    old: old.length,
    oldestStart,
    isRolledOut: isRolledOut(live),
    ...(Number.isNaN(Date.parse(restartedAt ?? '')) ? {} : { restartedAt: restartedAt ?? '' }),
    ...(cannot === undefined ? {} : { cannot }),
    ...(problem === undefined ? {} : { problem }),
  }
}

function problemOf(live: KubeObject, { budgets }: Gathered, { rollouts }: Rules): string | undefined {
  const { namespace = '' } = live.metadata
  if (!isRolledOut(live)) return 'not all its Pods are available and of its present template'
  if (wantedPods(live) === 0) return 'it is scaled to 0, and its Pods end'
  const service = rollouts.get(namespace)
  if (service !== undefined) return `a rollout of ${service} is live in its namespace`
  return budgetProblem(live, budgets)
}

/** Controllers ask no budget: what they take down at once has to be what it allows. */
function budgetProblem(live: KubeObject, budgets: readonly KubeObject[]): string | undefined {
  const { namespace = '' } = live.metadata
  const most = mostUnavailable(live)
  const labels = templateOf(live).labels ?? {}
  const allowed = ({ status }: KubeObject) => (status?.disruptionsAllowed as number | undefined) ?? most
  const tight = budgets.find((one) => {
    return one.metadata.namespace === namespace && allowed(one) < most && selects(one.spec?.selector, labels)
  })
  if (!tight) return undefined
  const words = `PodDisruptionBudget ${namespace}/${tight.metadata.name} allows`
  if (allowed(tight) === 0) return `${words} no disruption now`
  return `${words} only ${allowed(tight)} of the ${most} Pods that its restart takes down at once`
}

function templateOf({ spec }: KubeObject): Pick<KubeMetadata, 'labels' | 'annotations'> {
  return (spec?.template as { readonly metadata?: KubeMetadata } | undefined)?.metadata ?? {}
}
