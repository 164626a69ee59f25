import { PortError } from '../../ports/port-error.ts'

/** The parts of the ARM id of an AKS cluster. */
export interface ClusterId {
  readonly subscription: string
  readonly resourceGroup: string
  readonly name: string
}

const PATTERN =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.ContainerService\/managedClusters\/([^/]+)$/i

/** Throws PortError `invalid` for the id of anything else. */
export function parseClusterId(resourceId: string, system: string): ClusterId {
  const [, subscription, resourceGroup, name] = PATTERN.exec(resourceId) ?? []
  if (subscription !== undefined && resourceGroup !== undefined && name !== undefined) {
    return { subscription, resourceGroup, name }
  }
  throw new PortError('invalid', system, 'not the ARM id of an AKS cluster', { reason: 'ResourceId' })
}
