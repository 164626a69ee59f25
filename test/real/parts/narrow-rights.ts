import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { ApiServer } from './api-server.ts'
import type { KubeconfigEntry } from './kubeconfig.ts'
import type { KubernetesObject } from './kubernetes.ts'

const FOLDER = join(import.meta.dirname, '../../../infra/kubernetes')
const ACCOUNT = { namespace: 'default', name: 'meshwright' }

/** The way to a cluster with the rights of roles of infra/kubernetes and no others: a service account that they are bound to. */
export async function withRoles(api: ApiServer, roles: readonly string[]): Promise<KubeconfigEntry> {
  await api.admin.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: ACCOUNT }])
  for (const role of roles) {
    const objects = parseAllDocuments(readFileSync(join(FOLDER, `${role}.yaml`), 'utf8')).map(
      (document) => document.toJS() as KubernetesObject,
    )
    const spaces = new Set(objects.flatMap(({ metadata: { namespace } }) => namespace ?? []))
    await api.admin.apply([...spaces].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
    await api.admin.apply(objects.map((object) => ('subjects' in object ? bound(object) : object)))
  }
  const path = `/api/v1/namespaces/${ACCOUNT.namespace}/serviceaccounts/${ACCOUNT.name}/token`
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } }
  const answer = await api.admin.call('POST', path, body)
  if (answer.status >= 300) throw new Error(`no token: ${JSON.stringify(answer.body)}`)
  const { token } = (answer.body as { readonly status: { readonly token: string } }).status
  return { context: api.context, url: api.url, ca: api.ca, token }
}

function bound(binding: KubernetesObject): KubernetesObject {
  return { ...binding, subjects: [{ kind: 'ServiceAccount', ...ACCOUNT }] }
}
