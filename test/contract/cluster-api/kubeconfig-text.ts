/** A kubeconfig with one context, `east`, whose user has a token. */
export function kubeconfigText(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'east', cluster: { server } }],
    users: [{ name: 'meshwright', user: { token } }],
    contexts: [{ name: 'east', context: { cluster: 'east', user: 'meshwright' } }],
    'current-context': 'east',
  })
}
