import type { RouteShare } from './route-source.ts'
import type { WorldPod } from './world-spec.ts'

/** A part of a service's requests and who takes it: pods evenly, or nobody for a reason. */
export interface Split {
  /** Part of all requests, 0 to 1. */
  readonly share: number
  readonly pods: readonly WorldPod[]
  /** Why no pod takes it: `NC` no such subset, `UH` no ready pod. '' when pods do. */
  readonly flags: '' | 'UH' | 'NC'
}

/**
 * Where the requests of a service go. `route` undefined: no route, or a caller that follows none (outside the mesh): all
 * ready pods evenly. A route without any weight sends everything nowhere, as a route without clusters would.
 */
export function splitRequests(route: readonly RouteShare[] | undefined, pods: readonly WorldPod[]): Split[] {
  if (route === undefined) return [{ share: 1, pods, flags: pods.length === 0 ? 'UH' : '' }]
  const total = route.reduce((sum, { weight }) => sum + weight, 0)
  if (total <= 0) return [{ share: 1, pods: [], flags: 'NC' }]
  return route.filter(({ weight }) => weight > 0).map(({ weight, labels }) => target(weight / total, labels, pods))
}

function target(share: number, labels: RouteShare['labels'], pods: readonly WorldPod[]): Split {
  if (labels === undefined) return { share, pods: [], flags: 'NC' }
  const wanted = Object.entries(labels)
  const chosen = pods.filter((pod) => wanted.every(([name, value]) => pod.labels[name] === value))
  return { share, pods: chosen, flags: chosen.length === 0 ? 'UH' : '' }
}
