/** What a kubeconfig says of one cluster. */
export interface KubeconfigEntry {
  /** Names the context, the cluster and the user. */
  readonly context: string
  readonly url: string
  readonly token: string
  /** PEM; left out: the server speaks plain HTTP. */
  readonly ca?: string
}

/** A kubeconfig (JSON is YAML) with one context a cluster; the first is the current one. */
export function kubeconfigOf(clusters: readonly KubeconfigEntry[]): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: clusters.map(({ context, url, ca }) => {
      const data = ca === undefined ? undefined : Buffer.from(ca).toString('base64')
      const trust = data === undefined ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority-data': data }
      return { name: context, cluster: { server: url, ...trust } }
    }),
    users: clusters.map(({ context, token }) => ({ name: context, user: { token } })),
    contexts: clusters.map(({ context }) => ({ name: context, context: { cluster: context, user: context } })),
    'current-context': clusters[0]?.context,
  })
}
