import { type ManagedCluster, nameOf } from './managed-cluster.ts'

/** AKS's server application in every tenant; tokens for API servers are issued for it. */
export const AKS_SERVER_APP = '6dae42f8-4368-4678-94ff-3960e28e3630'
/** The public client with which people sign in. */
const AKS_CLIENT_APP = '80faf920-1908-4b52-b5ef-a8e7bedfc67a'

/**
 * The kubeconfig of `listClusterUserCredential` as YAML: with Entra ID a user that runs kubelogin (`exec`) or has the
 * older auth-provider (`azure`), without it one with a certificate and a token.
 */
export function userKubeconfig(cluster: ManagedCluster, tenantId: string, format: 'exec' | 'azure'): string {
  const { name, resourceGroup } = nameOf(cluster.id)
  const user = `clusterUser_${resourceGroup}_${name}`
  return [
    'apiVersion: v1',
    'clusters:',
    '- cluster:',
    `    certificate-authority-data: ${cluster.caData}`,
    `    server: ${cluster.server}`,
    `  name: ${name}`,
    'contexts:',
    '- context:',
    `    cluster: ${name}`,
    `    user: ${user}`,
    `  name: ${name}`,
    `current-context: ${name}`,
    'kind: Config',
    'preferences: {}',
    'users:',
    `- name: ${user}`,
    '  user:',
    ...userOf(cluster, tenantId, format).map((line) => `    ${line}`),
    '',
  ].join('\n')
}

function userOf({ properties }: ManagedCluster, tenantId: string, format: 'exec' | 'azure'): readonly string[] {
  if (!properties.aadProfile) return ['client-certificate-data: bm90LWEtY2VydA==', 'token: not-a-token']
  const ids = { 'server-id': AKS_SERVER_APP, 'client-id': AKS_CLIENT_APP, 'tenant-id': tenantId }
  if (format === 'azure') {
    return [
      'auth-provider:',
      '  config:',
      `    apiserver-id: ${AKS_SERVER_APP}`,
      `    client-id: ${AKS_CLIENT_APP}`,
      "    config-mode: '1'",
      '    environment: AzurePublicCloud',
      `    tenant-id: ${tenantId}`,
      '  name: azure',
    ]
  }
  const args = ['get-token', '--environment', 'AzurePublicCloud']
  for (const [name, value] of Object.entries(ids)) args.push(`--${name}`, value)
  return [
    'exec:',
    '  apiVersion: client.authentication.k8s.io/v1beta1',
    '  args:',
    ...[...args, '--login', 'devicecode'].map((arg) => `  - ${arg}`),
    '  command: kubelogin',
    '  env: null',
    '  provideClusterInfo: false',
  ]
}
