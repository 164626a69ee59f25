import { definitionOf } from '../kubernetes/custom-resources.ts'
import type { KubernetesObject } from '../kubernetes/json.ts'

export const GROUP = 'secrets-store.csi.x-k8s.io'

/** What the add-on azureKeyvaultSecretsProvider defines, as objects to seed. */
export function secretsStoreDefinitions(): KubernetesObject[] {
  const versions = ['v1', 'v1alpha1']
  return [
    definitionOf({ group: GROUP, versions, kind: 'SecretProviderClass', plural: 'secretproviderclasses' }),
    definitionOf({
      group: GROUP,
      versions,
      kind: 'SecretProviderClassPodStatus',
      plural: 'secretproviderclasspodstatuses',
    }),
  ]
}
