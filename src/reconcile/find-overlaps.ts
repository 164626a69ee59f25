import { matchesLabels } from '../model/active-freezes.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
import { selects } from './label-selector.ts'

/** What could mix up the Pods of two versions, as a namespace holds it. */
export interface Workloads {
  readonly deployments: readonly KubeObject[]
  readonly autoscalers: readonly KubeObject[]
  readonly budgets: readonly KubeObject[]
  /** Why a kind could not be listed, a sentence each. */
  readonly unseen: readonly string[]
}

/** A version and the labels by which its Pods are known. */
export interface VersionLabels {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** What a look at the workloads of two versions came to. */
export interface Overlaps {
  /** Why the candidate must not get requests: names the objects and the way out. Absent: nothing forbids it. */
  readonly overlap?: string
  /** What people should know, but may be meant. */
  readonly warnings: readonly string[]
  readonly unseen: readonly string[]
}

/**
 * Do selectors catch Pods of both versions? Pods are those that Deployments make whose template bears a version's labels;
 * other workloads are not looked at. Refused are Deployments that select each other's Pods, two autoscalers of one
 * Deployment, and two budgets of one Pod, for Kubernetes then evicts it no more. One budget for both versions is a warning.
 */
export function findOverlaps(workloads: Workloads, stable: VersionLabels, candidate: VersionLabels): Overlaps {
  const { autoscalers, budgets, unseen } = workloads
  const makers = workloads.deployments.map(makerOf).toSorted(byName)
  const sides: Sides = {
    stable: { ...stable, makers: makers.filter(({ pods }) => matchesLabels(pods, stable.labels)) },
    candidate: { ...candidate, makers: makers.filter(({ pods }) => matchesLabels(pods, candidate.labels)) },
  }
  const budget = sharedBudget(sides, budgets)
  const overlap = deploymentOverlap(sides) ?? autoscalerOverlap(sides, autoscalers) ?? budget.overlap
  return { ...(overlap === undefined ? {} : { overlap }), warnings: [...budget.warnings, ...unseen], unseen }
}

/** A Deployment, the labels of its Pods, and what it selects. */
interface Maker {
  readonly name: string
  readonly ref: string
  readonly pods: Readonly<Record<string, string>>
  readonly selector: unknown
}

interface Sides {
  readonly stable: VersionLabels & { readonly makers: readonly Maker[] }
  readonly candidate: VersionLabels & { readonly makers: readonly Maker[] }
}

function makerOf(deployment: KubeObject): Maker {
  const { selector, template } = (deployment.spec ?? {}) as {
    readonly selector?: unknown
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
  }
  const pods = template?.metadata?.labels ?? {}
  return { name: deployment.metadata.name, ref: describeRef(refOf(deployment)), pods, selector }
}

function deploymentOverlap({ stable, candidate }: Sides): string | undefined {
  const both = stable.makers.find((maker) => candidate.makers.includes(maker))
  if (both) {
    const wayOut = `Give the Pods of each version labels that the other's do not have.`
    return `The Pods of ${both.ref} bear the labels of both ${stable.name} and ${candidate.name}. ${wayOut}`
  }
  for (const old of stable.makers) {
    for (const next of candidate.makers) {
      if (selects(old.selector, next.pods)) return crossing(old, stable.name, next, candidate.name)
      if (selects(next.selector, old.pods)) return crossing(next, candidate.name, old, stable.name)
    }
  }
  return undefined
}

function crossing(from: Maker, its: string, to: Maker, others: string): string {
  return (
    `The selector of ${from.ref} (${its}) also takes the Pods of ${to.ref} (${others}). A selector cannot be changed: ` +
    `create ${from.ref} anew with a label in its selector that only ${its} has, such as "version".`
  )
}

function autoscalerOverlap({ stable, candidate }: Sides, autoscalers: readonly KubeObject[]): string | undefined {
  for (const { name, ref } of [...stable.makers, ...candidate.makers]) {
    const [first, second] = autoscalers.filter((object) => scales(object, name)).toSorted(byObjectName)
    if (!first || !second) continue
    const both = `${describeRef(refOf(first))} and ${describeRef(refOf(second))}`
    return `${both} both scale ${ref}, and undo each other's counts. Delete one of them.`
  }
  return undefined
}

function scales(autoscaler: KubeObject, deployment: string): boolean {
  const target = autoscaler.spec?.scaleTargetRef as { readonly kind?: string; readonly name?: string } | undefined
  return target?.kind === 'Deployment' && target.name === deployment
}

function sharedBudget(
  { stable, candidate }: Sides,
  budgets: readonly KubeObject[],
): { readonly overlap?: string; readonly warnings: readonly string[] } {
  const takes = (budget: KubeObject, makers: readonly Maker[]) => {
    return makers.some(({ pods }) => selects(budget.spec?.selector, pods))
  }
  const sorted = budgets.toSorted(byObjectName)
  const [shared] = sorted.filter((budget) => takes(budget, stable.makers) && takes(budget, candidate.makers))
  if (!shared) return { warnings: [] }
  const ref = describeRef(refOf(shared))
  const versions = `${stable.name} and ${candidate.name}`
  const other = sorted.find(
    (budget) => budget !== shared && [stable, candidate].some(({ makers }) => takes(budget, makers)),
  )
  if (other) {
    const overlap =
      `${ref} takes the Pods of both ${versions}, and ${describeRef(refOf(other))} takes them too: Kubernetes evicts ` +
      `no Pod that has two budgets, so nodes could not be drained. Delete one of them, or narrow its selector.`
    return { overlap, warnings: [] }
  }
  const advice = 'it counts them together, so a drain may take all Pods of one version at once'
  return { warnings: [`${ref} takes the Pods of both ${versions}: ${advice}`] }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

function byObjectName(a: KubeObject, b: KubeObject): number {
  return byName(a.metadata, b.metadata)
}
