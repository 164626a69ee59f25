import { writeFileSync } from 'node:fs'
import { REQUIRED_ACCESS } from '../src/clusters/required-access.ts'

/**
 * Writes infra/kubernetes/cluster-role.yaml: the rights of src/clusters/required-access.ts, and no more. What it is bound to is
 * in cluster-role-binding.yaml. `node scripts/cluster-role.ts`
 */
const rules = new Map<string, { group: string; resource: string; verbs: string[]; why: string }>()
for (const { group, resource, verb, why } of REQUIRED_ACCESS) {
  const rule = rules.get(`${group}/${resource}`) ?? { group, resource, verbs: [], why }
  if (!rule.verbs.includes(verb)) rule.verbs.push(verb)
  rules.set(`${group}/${resource}`, rule)
}
const lines = [...rules.values()].flatMap(({ group, resource, verbs, why }) => [
  `  # ${why}`,
  `  - apiGroups: ['${group}']`,
  `    resources: ['${resource}']`,
  `    verbs: [${verbs.join(', ')}]`,
])
const text = `# What Meshwright needs on a cluster, and no more. Written by scripts/cluster-role.ts.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: meshwright
rules:
${lines.join('\n')}
`
writeFileSync(new URL('../infra/kubernetes/cluster-role.yaml', import.meta.url), text)
