import { matchesLabels } from '../../model/active-freezes.ts'
import { desiredWeights } from '../../model/desired-weights.ts'
import { keyOf } from '../../model/documents.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { ClusterApi, ReadOptions } from '../../ports/cluster-api.ts'
import type { Store } from '../../ports/store.ts'
import { isWanted, type PlannedService } from '../situation.ts'
import { podLabels } from './deployment.ts'
import type { Neighbour } from './workloads.ts'

/** The selector of a Kubernetes Service; undefined when there is none. Throws PortError. */
export async function getSelector(
  api: ClusterApi,
  namespace: string,
  name: string,
  age: ReadOptions = {},
): Promise<Neighbour['selector'] | undefined> {
  const found = await api.get({ apiVersion: 'v1', kind: 'Service', namespace, name }, age)
  return found?.spec?.selector as Neighbour['selector'] | undefined
}

/**
 * Other services of the namespace whose versions with requests may have Pods of these Deployments, by their labels. Their
 * Kubernetes Services are asked for one by one: there are few, and listing all is no right of ours. Throws PortError.
 */
export async function gatherNeighbours(
  api: ClusterApi,
  store: Store,
  { service, cluster }: { readonly service: PlannedService; readonly cluster: string },
  deployments: readonly KubeObject[],
): Promise<readonly Neighbour[]> {
  const { namespace, name } = service
  const services = await store.all('service', { prefix: `${namespace}/` })
  const pods = deployments.map(podLabels)
  const found = services
    .filter((other) => other.namespace === namespace && other.name !== name && isWanted(other, cluster))
    .map((other) => ({
      other,
      versions: Object.keys(desiredWeights(other, cluster) ?? {})
        .map((version) => other.spec.versions[version]?.labels ?? {})
        .filter((labels) => pods.some((own) => matchesLabels(own, labels))),
    }))
    .filter(({ versions }) => versions.length > 0)
  const neighbours = await Promise.all(
    found.map(async ({ other, versions }) => {
      const selector = (await getSelector(api, namespace, other.name)) ?? {}
      return versions.map((labels) => ({ service: keyOf(other), labels, selector }))
    }),
  )
  return neighbours.flat()
}
