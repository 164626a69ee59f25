import type { RequestShape, RouteRule, RouteShare } from './route-source.ts'
import type { WorldPod } from './world-spec.ts'

/** A part of a service's requests and who takes it: pods evenly, or nobody for a reason. */
export interface Split {
  /** Part of all requests, 0 to 1. */
  readonly share: number
  readonly pods: readonly WorldPod[]
  /** Why no pod takes it: `NC` no such subset, `UH` no ready pod, `NR` no route fits. '' when pods do. */
  readonly flags: '' | 'UH' | 'NC' | 'NR'
  /** `name=value`: the cookie that answers set. */
  readonly setCookie?: string
}

/** What becomes of requests of one shape. */
export interface Flow {
  readonly splits: readonly Split[]
  /** The part that is copied, 0 to 1, and the pods that take the copies, evenly. */
  readonly copies?: { readonly share: number; readonly pods: readonly WorldPod[] }
}

/**
 * Where requests of a shape go. `rules` undefined: no route, or a caller that follows none (outside the mesh): all ready pods
 * evenly. A route without any weight sends everything nowhere, as a route without clusters would.
 */
export function followRoutes(
  rules: readonly RouteRule[] | undefined,
  request: RequestShape,
  pods: readonly WorldPod[],
): Flow {
  if (rules === undefined) return { splits: [{ share: 1, pods, flags: pods.length === 0 ? 'UH' : '' }] }
  const rule = rules.find((one) => one.fits(request))
  if (rule === undefined) return { splits: [{ share: 1, pods: [], flags: 'NR' }] }
  const { shares, mirror } = rule
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  const splits: readonly Split[] =
    total <= 0
      ? [{ share: 1, pods: [], flags: 'NC' }]
      : shares.filter(({ weight }) => weight > 0).map((share) => target(share, total, pods))
  const copied = mirror?.labels && podsWith(mirror.labels, pods)
  return { splits, ...(mirror && copied?.length ? { copies: { share: mirror.percent / 100, pods: copied } } : {}) }
}

function target({ weight, labels, setCookie }: RouteShare, total: number, pods: readonly WorldPod[]): Split {
  const share = weight / total
  if (labels === undefined) return { share, pods: [], flags: 'NC' }
  const chosen = podsWith(labels, pods)
  if (chosen.length === 0) return { share, pods: chosen, flags: 'UH' }
  return { share, pods: chosen, flags: '', ...(setCookie === undefined ? {} : { setCookie }) }
}

function podsWith(labels: Readonly<Record<string, string>>, pods: readonly WorldPod[]): readonly WorldPod[] {
  const wanted = Object.entries(labels)
  return pods.filter((pod) => wanted.every(([name, value]) => pod.labels[name] === value))
}
