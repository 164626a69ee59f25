import { canonicalJson } from '../model/digest.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { MOST_VERSIONS, type ServiceSpec } from '../model/service.ts'
import { imageVersion } from './image-version.ts'

/**
 * Versions without the oldest that releases by image left behind, where there would be more than a service may have: those
 * that get no requests on any cluster, and that a release of the same name would make again as they are. Their Deployments
 * stay as they are. `stables` are the stable versions of the rollout's clusters. What cannot be dropped stays.
 */
export function makeRoom(
  service: ServiceDocument,
  versions: ServiceSpec['versions'],
  candidate: string,
  stables: readonly string[],
): { readonly versions: ServiceSpec['versions']; readonly dropped: readonly string[] } {
  const excess = Object.keys(versions).length - MOST_VERSIONS
  if (excess <= 0) return { versions, dropped: [] }
  const used = new Set([
    candidate,
    service.spec.initialVersion,
    ...stables,
    ...Object.values(service.targets).map(({ stable }) => stable),
    ...service.rollouts.flatMap(({ targets }) => targets.flatMap((target) => [target.stable, target.candidate])),
  ])
  const isMade = (name: string) => {
    const made = imageVersion(service, name, stables)
    return made.ok && canonicalJson(made.value) === canonicalJson(versions[name])
  }
  const retired = Object.values(service.retired ?? {}).flat()
  const droppable = [...new Set(retired.map(({ version }) => version))].filter(
    (name) => !used.has(name) && isMade(name),
  )
  const dropped = droppable.slice(0, excess)
  return { versions: Object.fromEntries(Object.entries(versions).filter(([name]) => !dropped.includes(name))), dropped }
}
