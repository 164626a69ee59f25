import { CLUSTER_ADMIN_TOKEN } from '../../../src/sandbox/emulated-cluster.ts'
import type { SeedObject } from '../../../src/sandbox/emulators/kubernetes/seed.ts'
import { GATEWAY_NAMESPACE, gatewayObjects } from '../gateways.ts'
import type { Simulation } from '../simulation.ts'
import { kubernetesHost } from '../surroundings.ts'

/** What people do to the gateways' Secrets with an administrator's token, past Meshwright. False: it was not there. */
export interface GatewayHands {
  removeSecret(cluster: string, name: string): Promise<boolean>
  /** Puts something in the place of the certificate. */
  overwrite(cluster: string, name: string): Promise<boolean>
  /** Puts an earlier pair back, as a restore of a backup does. */
  putBack(cluster: string, name: string): Promise<boolean>
  hold(cluster: string, name: string, on: boolean): Promise<boolean>
  /** Makes a Secret that is not Meshwright's. */
  foreign(cluster: string, name: string): Promise<boolean>
  removeNamespace(cluster: string): Promise<boolean>
  putNamespace(cluster: string): void
}

const SECRETS = `/api/v1/namespaces/${GATEWAY_NAMESPACE}/secrets`

export function createGatewayHands({ surroundings, trace, watch }: Simulation): GatewayHands {
  const call = async (cluster: string, method: string, path: string, body?: unknown) => {
    const kubernetes = surroundings.clusters.get(cluster)?.kubernetes
    if (!kubernetes) return false
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { authorization: `Bearer ${CLUSTER_ADMIN_TOKEN}`, 'content-type': type }
    const url = new URL(`https://${kubernetesHost(cluster)}${path}`)
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body))
    const { status } = await kubernetes.handle({ method, url, headers, body: bytes })
    trace.add(`hands ${cluster} ${method} ${path} ${status}`)
    return status < 300
  }
  const patch = (cluster: string, name: string, body: unknown) =>
    call(cluster, 'PATCH', `${SECRETS}/${name}?fieldManager=kubectl-edit`, body)
  return {
    removeSecret: (cluster, name) => call(cluster, 'DELETE', `${SECRETS}/${name}`),
    overwrite: (cluster, name) => patch(cluster, name, { data: { 'tls.crt': Buffer.from('none').toString('base64') } }),
    async putBack(cluster, name) {
      const first = watch.certificates.firstPair(cluster, name)
      return first ? patch(cluster, name, { data: first }) : false
    },
    hold: (cluster, name, on) =>
      patch(cluster, name, { metadata: { annotations: { 'meshwright.io/hold': on ? 'true' : null } } }),
    foreign: (cluster, name) =>
      call(cluster, 'POST', `${SECRETS}?fieldManager=kubectl-create`, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: GATEWAY_NAMESPACE },
        type: 'Opaque',
        data: { theirs: 'AAAA' },
      }),
    removeNamespace: (cluster) => call(cluster, 'DELETE', `/api/v1/namespaces/${GATEWAY_NAMESPACE}`),
    putNamespace: (cluster) =>
      surroundings.clusters.get(cluster)?.kubernetes.seed(gatewayObjects(cluster) as readonly SeedObject[]),
  }
}
