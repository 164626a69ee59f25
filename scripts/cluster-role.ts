import { writeFileSync } from 'node:fs'
import {
  DRIVER_ACCESS,
  ENVOY_FILTER_ACCESS,
  GATEWAY_ACCESS,
  IMAGE_ACCESS,
  IMPORT_ACCESS,
  ISTIOD_LOG_ACCESS,
  LINKERD_IDENTITY_ACCESS,
  MESH_ACCESS,
  POLICY_ACCESS,
  REQUIRED_ACCESS,
  RESTART_ACCESS,
  TRUST_ACCESS,
} from '../src/clusters/required-access.ts'

/**
 * Writes infra/kubernetes/cluster-role.yaml, mesh-role-PROVIDER.yaml, envoy-filter-role.yaml, import-role.yaml, trust-role.yaml, restart-role.yaml, linkerd-identity-role.yaml, gateway-role.yaml and image-role.yaml: the rights of
 * src/clusters/required-access.ts, and no more. What the first is bound to is in cluster-role-binding.yaml. `node scripts/cluster-role.ts`
 */
write(
  'cluster-role.yaml',
  `# What Meshwright needs on a cluster, and no more. Written by scripts/cluster-role.ts.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: meshwright
rules:
${rulesOf(REQUIRED_ACCESS)}
  # The rest is for policies of Pods (security, egress, telemetry) only.
${rulesOf(POLICY_ACCESS)}
`,
)
write(
  'gateway-role.yaml',
  `# What Meshwright needs in the namespace of a gateway that it brings certificates to, and no more; once for each such namespace.
# Without certificates it is not needed. Put the object id of the identity of \`work\` in the place of the zeros. Written by
# scripts/cluster-role.ts.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: meshwright-gateway
  namespace: aks-istio-ingress
rules:
${rulesOf(GATEWAY_ACCESS)}
  # The rest is for delivery by the Secrets Store CSI driver ("delivery": "csi") only.
${rulesOf(DRIVER_ACCESS)}
${bindingOf('meshwright-gateway', 'aks-istio-ingress')}`,
)
write(
  'linkerd-identity-role.yaml',
  `# What Meshwright needs in the namespace of Linkerd whose trust anchor and issuer it rotates, and no more. Who may write these
# two says whom the mesh trusts: without such a CA leave it out. Put the object id of the identity of \`work\` in the place of the
# zeros. Written by scripts/cluster-role.ts.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: meshwright-linkerd-identity
  namespace: linkerd
rules:
${rulesOf(LINKERD_IDENTITY_ACCESS)}
${bindingOf('meshwright-linkerd-identity', 'linkerd')}`,
)
write(
  'image-role.yaml',
  `# What Meshwright needs in a namespace of services that are released by image, and no more; once for each such namespace.
# Who may patch Deployments may run any program there: without such rollouts leave it out. Put the object id of the identity of
# \`work\` in the place of the zeros, and the namespace in that of \`shop\`. Written by scripts/cluster-role.ts.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: meshwright-image
  namespace: shop
rules:
${rulesOf(IMAGE_ACCESS)}
${bindingOf('meshwright-image', 'shop')}`,
)

for (const [provider, rights] of Object.entries(MESH_ACCESS)) {
  writeClusterRole({ file: `mesh-role-${provider}`, role: `meshwright-${provider}`, where: `with ${provider}` }, rights)
}
writeClusterRole(
  { file: 'envoy-filter-role', role: 'meshwright-envoy-filters', where: 'that says mesh.envoyFilters' },
  ENVOY_FILTER_ACCESS,
)
writeClusterRole(
  { file: 'import-role', role: 'meshwright-import', where: 'whose services are imported' },
  Object.values(IMPORT_ACCESS).flat(),
)
writeClusterRole(
  { file: 'trust-role', role: 'meshwright-trust', where: 'whose mesh CA is registered, or whose trust it is to show' },
  Object.values(TRUST_ACCESS).flat(),
  `---
# Where istiod does not run in aks-istio-system but in istio-system, put that in its place; without Istio leave this out.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: meshwright-istiod-log
  namespace: aks-istio-system
rules:
${rulesOf(ISTIOD_LOG_ACCESS)}
${bindingOf('meshwright-istiod-log', 'aks-istio-system')}`,
)
writeClusterRole(
  {
    file: 'restart-role',
    role: 'meshwright-restarts',
    where: 'whose mesh CA says `restarts`',
    note: '# Who may patch workloads may run any program there: without restarts leave it out.\n',
  },
  RESTART_ACCESS,
)

function writeClusterRole(
  {
    file,
    role,
    where,
    note = '',
  }: { readonly file: string; readonly role: string; readonly where: string; readonly note?: string },
  rights: typeof REQUIRED_ACCESS,
  more = '',
): void {
  write(
    `${file}.yaml`,
    `# What Meshwright needs besides on a cluster ${where}, and no more. Put the object id of the identity of \`work\` in the
# place of the zeros. Written by scripts/cluster-role.ts.
${note}apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: ${role}
rules:
${rulesOf(rights)}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ${role}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: ${role}
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: User
    name: 00000000-0000-0000-0000-000000000000
${more}`,
  )
}

function bindingOf(name: string, namespace: string): string {
  return `---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: ${name}
  namespace: ${namespace}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: ${name}
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: User
    name: 00000000-0000-0000-0000-000000000000
`
}

function rulesOf(rights: typeof REQUIRED_ACCESS): string {
  const rules = new Map<string, { group: string; resource: string; names: Set<string>; verbs: string[]; why: string }>()
  for (const { group, resource, verb, why, name } of rights) {
    const rule = rules.get(`${group}/${resource}`) ?? { group, resource, names: new Set(), verbs: [], why }
    if (!rule.verbs.includes(verb)) rule.verbs.push(verb)
    if (name !== undefined) rule.names.add(name)
    rules.set(`${group}/${resource}`, rule)
  }
  return [...rules.values()]
    .flatMap(({ group, resource, names, verbs, why }) => [
      `  # ${why}`,
      `  - apiGroups: ['${group}']`,
      `    resources: ['${resource}']`,
      ...(names.size === 0 ? [] : [`    resourceNames: [${[...names].join(', ')}]`]),
      `    verbs: [${verbs.join(', ')}]`,
    ])
    .join('\n')
}

function write(name: string, text: string): void {
  writeFileSync(new URL(`../infra/kubernetes/${name}`, import.meta.url), text)
}
