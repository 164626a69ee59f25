import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'
import { RESTARTER } from '../../src/mesh/marks.ts'
import { clusterSpec } from '../../src/model/cluster.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import type { ClusterApi } from '../../src/ports/cluster-api.ts'
import { restartOf } from '../../src/reconcile/restarts/restart-of.ts'
import { RESTARTED_AT } from '../../src/reconcile/restarts/workload.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { scratchFolder } from './parts/scratch.ts'

const APPLY = 'application/apply-patch+yaml'
const STRATEGIC = 'application/strategic-merge-patch+json'
const AT = '2026-05-01T10:00:00.000Z'
const PATHS = { Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' } as const
type Kind = keyof typeof PATHS

describeReal('the annotation that restarts a workload', 'api', (parts) => {
  const dir = scratchFolder()
  let server: ApiServer
  let api: ClusterApi
  beforeAll(async () => {
    server = await startApiServer({ parts, dir, crds: [] })
    const kubeconfig = { text: readFileSync(server.kubeconfigPath, 'utf8') }
    const spec = clusterSpec.parse({ kubeconfig: { context: server.context } })
    api = await kubernetesClusters({ kubeconfig }, systemClock()).connect({ name: 'real', spec })
  })
  afterAll(() => server?.stop())

  const pathOf = (kind: Kind, name: string) => `/apis/apps/v1/namespaces/default/${PATHS[kind]}/${name}`
  const send = async (path: string, body: object, type: string) => {
    const answer = await server.admin.call('PATCH', path, body, type)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
  }
  /** As Argo CD and Flux write it. */
  const apply = (kind: Kind, name: string) =>
    send(`${pathOf(kind, name)}?fieldManager=argocd-controller&force=true`, workload(kind, name), APPLY)
  const read = async (kind: Kind, name: string): Promise<KubeObject> => {
    const found = await api.get({ apiVersion: 'apps/v1', kind, namespace: 'default', name })
    if (!found) throw new Error(`no ${kind} ${name}`)
    return found
  }
  const restart = (live: KubeObject, at = AT) => api.apply(restartOf(live, at), { force: true, manager: RESTARTER })

  describe.each(Object.keys(PATHS) as Kind[])('of a %s that others apply', (kind) => {
    it('changes what kubectl rollout restart changes, and nothing else', async () => {
      for (const name of ['ours', 'theirs']) await apply(kind, name)
      const before = await read(kind, 'ours')
      await restart(before)
      const template = { metadata: { annotations: { [RESTARTED_AT]: AT } } }
      await send(`${pathOf(kind, 'theirs')}?fieldManager=kubectl-rollout`, { spec: { template } }, STRATEGIC)
      const [ours, theirs] = [await read(kind, 'ours'), await read(kind, 'theirs')]
      expect(JSON.stringify(ours.spec).replaceAll('ours', 'theirs')).toBe(JSON.stringify(theirs.spec))
      expect(ours.metadata.generation).toBe((before.metadata.generation ?? 0) + 1)
      expect(ours.metadata.labels).toEqual(before.metadata.labels)
      // The server itself counts templates of DaemonSets in one.
      expect(ours.metadata.annotations).toEqual(theirs.metadata.annotations)
      const own = { [`f:${RESTARTED_AT}`]: {} }
      const fields = (object: KubeObject, manager: string) =>
        object.metadata.managedFields?.find((one) => one.manager === manager)?.fieldsV1
      expect(fields(ours, RESTARTER)).toEqual({
        'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': own } } },
      })
      expect(fields(theirs, 'kubectl-rollout')).toEqual({
        'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': { '.': {}, ...own } } } },
      })
      expect(fields(ours, 'argocd-controller')).toEqual(fields(before, 'argocd-controller'))
    })

    it('stays when they apply again; the same again changes nothing, and it is ours over what kubectl set', async () => {
      await restart(await read(kind, 'ours'))
      const { metadata } = await read(kind, 'ours')
      await apply(kind, 'ours')
      await restart(await read(kind, 'ours'))
      const again = await read(kind, 'ours')
      expect(again.metadata.resourceVersion).toBe(metadata.resourceVersion)
      const later = '2026-05-01T11:00:00.000Z'
      await restart(await read(kind, 'theirs'), later)
      const template = (await read(kind, 'theirs')).spec?.template as KubeObject
      expect(template.metadata.annotations).toEqual({ [RESTARTED_AT]: later })
    })

    it('is refused when the workload was changed since it was read, or is another', async () => {
      const live = await read(kind, 'ours')
      const { metadata } = live
      for (const change of [{ resourceVersion: '1' }, { uid: '00000000-0000-4000-8000-000000000000' }])
        await expect(restart({ ...live, metadata: { ...metadata, ...change } })).rejects.toMatchObject({
          kind: 'precondition',
        })
      await server.admin.call('DELETE', pathOf(kind, 'ours'))
      await expect(restart(live)).rejects.toMatchObject({ name: 'PortError' })
      expect(await api.get({ apiVersion: 'apps/v1', kind, namespace: 'default', name: 'ours' })).toBeUndefined()
    })
  })
})

function workload(kind: Kind, name: string): object {
  const labels = { app: name }
  const containers = [{ name, image: 'registry.example.com/web:1', ports: [{ containerPort: 80 }] }]
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } }
  const more = kind === 'DaemonSet' ? {} : { replicas: 2, ...(kind === 'StatefulSet' ? { serviceName: name } : {}) }
  return { apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'default', labels }, spec: { ...spec, ...more } }
}
