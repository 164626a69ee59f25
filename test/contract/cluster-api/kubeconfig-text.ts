/** A kubeconfig with one context, `east`, whose user has a token. `insecure` lets the server be plain HTTP. */
export function kubeconfigText(server: string, token: string, insecure = false): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'east', cluster: { server, 'insecure-skip-tls-verify': insecure } }],
    users: [{ name: 'meshwright', user: { token } }],
    contexts: [{ name: 'east', context: { cluster: 'east', user: 'meshwright' } }],
    'current-context': 'east',
  })
}
