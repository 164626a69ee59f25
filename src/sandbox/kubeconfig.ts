import { CLUSTER_TOKEN } from './emulated-cluster.ts'

/** A kubeconfig (JSON is YAML) with one context a cluster, by the cluster's name. */
export function kubeconfigFor(servicesUrl: string, clusters: readonly string[]): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: clusters.map((name) => ({
      name,
      cluster: { server: `${servicesUrl}/kubernetes/${name}`, 'insecure-skip-tls-verify': true },
    })),
    users: [{ name: 'meshwright', user: { token: CLUSTER_TOKEN } }],
    contexts: clusters.map((name) => ({ name, context: { cluster: name, user: 'meshwright' } })),
    'current-context': clusters[0],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
