import { ArmError } from './errors.ts'
import { type ManagedCluster, nameOf } from './managed-cluster.ts'

/** Revisions of the add-on, the oldest first, with the Kubernetes versions that each takes. */
const REVISIONS: readonly (readonly [revision: string, kubernetes: readonly string[]])[] = [
  ['asm-1-28', ['1.30', '1.31', '1.32', '1.33', '1.34', '1.35']],
  ['asm-1-29', ['1.31', '1.32', '1.33', '1.34', '1.35', '1.36']],
  ['asm-1-30', ['1.32', '1.33', '1.34', '1.35', '1.36']],
]

/** What of the add-on there is in a region: `meshRevisionProfiles`. */
export function revisionProfile(subscription: string, location: string): Record<string, unknown> {
  const id = `/subscriptions/${subscription}/providers/Microsoft.ContainerService/locations/${location}/meshRevisionProfiles/istio`
  const meshRevisions = REVISIONS.map(([revision]) => revisionOf(revision))
  return {
    id,
    name: 'istio',
    type: 'Microsoft.ContainerService/locations/meshRevisionProfiles',
    properties: { meshRevisions },
  }
}

/** Where a cluster's add-on can go from its revision: `meshUpgradeProfiles`. Throws ArmError while it is on its way. */
export function upgradeProfile(cluster: ManagedCluster): Record<string, unknown> {
  const [revision, ...others] = revisionsOf(cluster)
  if (revision === undefined) {
    throw new ArmError(400, 'BadRequest', `Istio is not enabled on ${nameOf(cluster.id).name}.`)
  }
  if (others.length > 0) throw new ArmError(400, 'BadRequest', 'Mesh upgrade is in progress.')
  return {
    id: `${cluster.id}/meshUpgradeProfiles/istio`,
    name: 'istio',
    type: 'Microsoft.ContainerService/managedClusters/meshUpgradeProfiles',
    properties: revisionOf(revision),
  }
}

function revisionOf(revision: string): Record<string, unknown> {
  const place = REVISIONS.findIndex(([known]) => known === revision)
  const upgrades = place < 0 ? [] : REVISIONS.slice(place + 1, place + 3).map(([later]) => later)
  const versions = REVISIONS[place]?.[1] ?? []
  return { revision, upgrades, compatibleWith: [{ name: 'KubernetesOfficial', versions }] }
}

function revisionsOf({ properties }: ManagedCluster): readonly string[] {
  const profile = properties.serviceMeshProfile as { istio?: { revisions?: readonly string[] } } | undefined
  return profile?.istio?.revisions ?? []
}
