import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject, KubeRef } from '../../../src/model/kube.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import type { PortErrorKind } from '../../../src/ports/port-error.ts'

export interface OpenedCluster {
  readonly api: ClusterApi
  /** A request as somebody else would send it: the path with its query, a JSON body. Gives the status and the JSON. */
  request(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{ status: number; body: unknown }>
  close(): Promise<void>
}

/**
 * What every cluster API keeps to. Wants an API server that knows Istio's VirtualService (networking.istio.io/v1) and a
 * caller who may do everything. `validates`: the server checks objects against schemas.
 */
export function clusterApiContract(name: string, validates: boolean, open: () => Promise<OpenedCluster>): void {
  describe(`cluster API on ${name}`, () => {
    let opened: OpenedCluster
    beforeAll(async () => {
      opened = await open()
      for (const each of [namespace, otherNamespace]) {
        await opened.request('POST', '/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: each },
        })
      }
    })
    afterAll(() => opened.close())
    const at = () => opened

    describe('reading', () => reading(at))
    describe('applying', () => applying(at))
    describe('preconditions', () => preconditions(at))
    describe('lists', () => lists(at))
    describe('removing', () => removing(at))
    describe('logs', () => logs(at))
    if (validates) describe('logs without a node', () => logsWithoutNode(at))
    if (validates) describe('validation', () => validation(at))
  })
}

type At = () => OpenedCluster
/** Names of their own: a server may be used again. */
const namespace = `contract-${randomUUID().slice(0, 8)}`
const otherNamespace = `${namespace}-too`

function fails(kind: PortErrorKind, reason?: string) {
  return expect.objectContaining({ name: 'PortError', kind, ...(reason === undefined ? {} : { reason }) })
}

function configMap(name: string, data: Record<string, string>, more: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...more }, data }
}

function configMapRef(name: string): KubeRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name }
}

function virtualService(name: string, weight: number): KubeObject {
  const route = [
    { destination: { host: 'web', subset: 'v1' }, weight: 100 - weight },
    { destination: { host: 'web', subset: 'v2' }, weight },
  ]
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'meshwright' } },
    spec: { hosts: ['web'], http: [{ route }] },
  }
}

/** Applies as another field manager would. */
async function applyAs(at: At, manager: string, path: string, object: KubeObject): Promise<KubeObject> {
  const query = `?fieldManager=${manager}&force=true`
  const { status, body } = await at().request('PATCH', path + query, object, 'application/apply-patch+yaml')
  expect(status).toBeLessThan(300)
  return body as KubeObject
}

function reading(at: At): void {
  it('tells the version of Kubernetes', async () => {
    expect(await at().api.version()).toMatch(/^v1\.\d+\.\d+/)
  })

  it('answers undefined for an object that is not there, in a namespace that is there or not', async () => {
    const { api } = at()
    expect(await api.get(configMapRef('absent'))).toBeUndefined()
    expect(await api.get({ ...configMapRef('absent'), namespace: 'absent' })).toBeUndefined()
    expect(
      await api.get({ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', namespace, name: 'absent' }),
    ).toBe(undefined)
  })

  it('reads an object of the whole cluster', async () => {
    const read = await at().api.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
    expect(read).toMatchObject({ kind: 'Namespace', metadata: { name: namespace, uid: expect.any(String) } })
  })

  it('says that a kind is unknown, whether its group is known or not', async () => {
    const { api } = at()
    const unknown = fails('not-found', 'UnknownKind')
    await expect(api.get({ apiVersion: 'v1', kind: 'Nonsense', namespace, name: 'a' })).rejects.toEqual(unknown)
    await expect(api.list({ apiVersion: 'nowhere.example.com/v1', kind: 'Nonsense' })).rejects.toEqual(unknown)
    const httpRoute = { apiVersion: 'gateway.networking.k8s.io/v9', kind: 'HTTPRoute', namespace, name: 'a' }
    await expect(api.get(httpRoute)).rejects.toEqual(unknown)
  })

  it('refuses names that would lead elsewhere', async () => {
    const { api } = at()
    await expect(api.get(configMapRef('..'))).rejects.toEqual(fails('invalid'))
    await expect(api.get({ ...configMapRef('a'), namespace: '..' })).rejects.toEqual(fails('invalid'))
    await expect(api.get({ ...configMapRef('a'), apiVersion: '../../version' })).rejects.toEqual(fails('invalid'))
    await expect(api.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' })).rejects.toEqual(fails('invalid'))
    await expect(api.get(configMapRef('a/b'))).rejects.toEqual(fails('invalid'))
    expect(await api.get(configMapRef('a?b=c#d'))).toBeUndefined()
  })

  it('may do what an administrator may', async () => {
    const question = { verb: 'patch', group: 'networking.istio.io', resource: 'virtualservices' }
    expect(await at().api.mayI(question)).toBe(true)
    expect(await at().api.mayI({ ...question, namespace })).toBe(true)
  })
}

function applying(at: At): void {
  it('creates an object as field manager meshwright, and changes it', async () => {
    const { api } = at()
    const created = await api.apply(virtualService('made', 10), { force: false })
    expect(created.metadata).toMatchObject({ name: 'made', namespace, generation: 1, uid: expect.any(String) })
    const owners = created.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])
    expect(owners).toEqual([['meshwright', 'Apply']])
    const changed = await api.apply(virtualService('made', 25), { force: false })
    expect(changed.metadata.generation).toBe(2)
    expect(changed.metadata.uid).toBe(created.metadata.uid)
    const read = await api.get({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      namespace,
      name: 'made',
    })
    expect(read).toEqual(changed)
    expect(read?.spec).toEqual(virtualService('made', 25).spec)
  })

  it('changes nothing when the same is applied again', async () => {
    const { api } = at()
    const first = await api.apply(virtualService('same', 10), { force: true })
    const second = await api.apply(virtualService('same', 10), { force: true })
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  it('keeps nothing of a dry run', async () => {
    const { api } = at()
    const dry = await api.apply(configMap('dry', { a: '1' }), { force: false, dryRun: true })
    expect(dry).toMatchObject({ data: { a: '1' }, metadata: { name: 'dry' } })
    expect(await api.get(configMapRef('dry'))).toBeUndefined()
    await api.apply(configMap('dry', { a: '1' }), { force: false })
    await api.apply(configMap('dry', { a: '2' }), { force: false, dryRun: true })
    expect(await api.get(configMapRef('dry'))).toMatchObject({ data: { a: '1' } })
  })

  it('names manager and field of a conflict, and takes the field by force', async () => {
    const { api } = at()
    await applyAs(
      at,
      'flagger',
      `/api/v1/namespaces/${namespace}/configmaps/owned`,
      configMap('owned', { a: '1', b: '1' }),
    )
    const conflict = await api.apply(configMap('owned', { a: '2' }), { force: false }).catch((error: unknown) => error)
    expect(conflict).toEqual(fails('conflict', 'FieldManagerConflict'))
    expect((conflict as Error).message).toContain('flagger')
    expect((conflict as Error).message).toContain('.data.a')
    const taken = await api.apply(configMap('owned', { a: '2' }), { force: true })
    expect(taken).toMatchObject({ data: { a: '2', b: '1' } })
  })

  it('takes away what it owned and no longer applies, and leaves what others own', async () => {
    const { api } = at()
    await api.apply(configMap('shared', { ours: '1', gone: '1' }), { force: false })
    await applyAs(
      at,
      'other',
      `/api/v1/namespaces/${namespace}/configmaps/shared`,
      configMap('shared', { theirs: '1' }),
    )
    const after = await api.apply(configMap('shared', { ours: '2' }), { force: false })
    expect(after.data).toEqual({ ours: '2', theirs: '1' })
  })

  it('says that the namespace is not there', async () => {
    const lost = { ...configMap('lost', {}), metadata: { name: 'lost', namespace: 'absent' } }
    await expect(at().api.apply(lost, { force: false })).rejects.toEqual(fails('not-found'))
  })
}

function preconditions(at: At): void {
  it('applies only to the object and the state that it was told', async () => {
    const { api } = at()
    const first = await api.apply(configMap('fenced', { a: '1' }), { force: false })
    const { uid, resourceVersion } = first.metadata
    const second = await api.apply(configMap('fenced', { a: '2' }, { uid, resourceVersion }), { force: true })
    expect(second).toMatchObject({ data: { a: '2' }, metadata: { uid } })
    const stale = configMap('fenced', { a: '3' }, { uid, resourceVersion })
    await expect(api.apply(stale, { force: true })).rejects.toEqual(fails('precondition'))
    const other = configMap('fenced', { a: '3' }, { uid: '00000000-0000-4000-8000-000000000000' })
    await expect(api.apply(other, { force: true })).rejects.toEqual(fails('precondition'))
    expect(await api.get(configMapRef('fenced'))).toMatchObject({ data: { a: '2' } })
  })

  it('does not create an object that it was told to find', async () => {
    const { api } = at()
    const gone = configMap('gone', { a: '1' }, { uid: '00000000-0000-4000-8000-000000000000' })
    await expect(api.apply(gone, { force: true })).rejects.toEqual(fails('precondition'))
    expect(await api.get(configMapRef('gone'))).toBeUndefined()
  })
}

function lists(at: At): void {
  it('lists all pages, of one namespace or of all, and says of each what it is', async () => {
    const { api } = at()
    const labels = { list: namespace }
    for (const number of [1, 2, 3, 4, 5]) {
      await api.apply(configMap(`page-${number}`, { n: String(number) }, { labels }), { force: false })
    }
    const elsewhere = { ...configMap('page-6', {}), metadata: { name: 'page-6', namespace: otherNamespace, labels } }
    await api.apply(elsewhere, { force: false })
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
    const names = (found: readonly KubeObject[]) => found.map(({ metadata }) => metadata.name).toSorted()
    const all = await api.list(kind, { labelSelector: `list=${namespace}`, pageSize: 2 })
    expect(names(all)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `page-${number}`))
    const here = await api.list(kind, { namespace, labelSelector: `list in (${namespace}),list`, pageSize: 2 })
    expect(names(here)).toEqual([1, 2, 3, 4, 5].map((number) => `page-${number}`))
    expect(here[0]).toMatchObject({ ...kind, data: { n: '1' } })
    expect(await api.list(kind, { namespace, labelSelector: 'list=nothing' })).toEqual([])
  })

  it('lists metadata alone', async () => {
    const { api } = at()
    const kind = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
    for (const number of [1, 2, 3]) await api.apply(virtualService(`slim-${number}`, 10), { force: false })
    const labelSelector = 'app.kubernetes.io/managed-by=meshwright'
    const found = await api.listMetadata(kind, { namespace, labelSelector, pageSize: 2 })
    const slim = found.filter(({ metadata }) => metadata.name.startsWith('slim-'))
    expect(slim.map(({ metadata }) => metadata.name)).toEqual(['slim-1', 'slim-2', 'slim-3'])
    expect(slim[0]).toMatchObject({
      ...kind,
      metadata: { uid: expect.any(String), generation: 1, resourceVersion: expect.any(String) },
    })
    expect(Object.keys(slim[0] ?? {}).toSorted()).toEqual(['apiVersion', 'kind', 'metadata'])
  })

  it('finds out how a kind is addressed that it was not told', async () => {
    const { api } = at()
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'found', namespace } }
    await api.apply(account, { force: false })
    const found = await api.list({ apiVersion: 'v1', kind: 'ServiceAccount' }, { namespace })
    expect(found.map(({ metadata }) => metadata.name)).toContain('found')
  })
}

function removing(at: At): void {
  it('removes the object that it was told, not another of its name, and is done when it is gone', async () => {
    const { api } = at()
    const { metadata } = await api.apply(configMap('removed', { a: '1' }), { force: false })
    const uid = metadata.uid ?? ''
    const other = '00000000-0000-4000-8000-000000000000'
    await expect(api.remove(configMapRef('removed'), other)).rejects.toEqual(fails('precondition'))
    await api.apply(configMap('removed', { a: '2' }), { force: false })
    const stale = metadata.resourceVersion
    await expect(api.remove(configMapRef('removed'), uid, stale)).rejects.toEqual(fails('precondition'))
    const live = await api.get(configMapRef('removed'))
    await api.remove(configMapRef('removed'), uid, live?.metadata.resourceVersion)
    expect(await api.get(configMapRef('removed'))).toBeUndefined()
    await api.remove(configMapRef('removed'), uid)
  })
}

async function makePod(at: At, name: string, spec: object): Promise<void> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec }
  const made = await at().request('POST', `/api/v1/namespaces/${namespace}/pods`, pod)
  expect([made.status, made.body]).toEqual([201, expect.anything()])
}

function logs(at: At): void {
  const container = (name: string) => ({ name, image: 'example.test/app:1' })

  it('of a Pod that is not there are not found', async () => {
    await expect(at().api.podLog({ namespace, name: 'nobody' })).rejects.toEqual(fails('not-found'))
  })

  it('of a Pod that runs nowhere yet are empty', async () => {
    await makePod(at, 'waiting', { containers: [container('app')] })
    const options = { container: 'app', sinceTime: new Date(0).toISOString(), tailLines: 10, limitBytes: 1000 }
    expect(await at().api.podLog({ namespace, name: 'waiting' }, options)).toBe('')
  })

  it('of a container that the Pod has not, or of one of several, cannot be had', async () => {
    await makePod(at, 'two', { containers: [container('app'), container('side')] })
    const pod = { namespace, name: 'two' }
    await expect(at().api.podLog(pod)).rejects.toEqual(fails('unavailable', 'NoLog'))
    await expect(at().api.podLog(pod, { container: 'other' })).rejects.toEqual(fails('unavailable', 'NoLog'))
    expect(await at().api.podLog(pod, { container: 'side' })).toBe('')
  })

  it('are asked of no other path than that of a Pod', async () => {
    await expect(at().api.podLog({ namespace, name: '../secrets' })).rejects.toEqual(fails('invalid'))
  })
}

/** There is no kubelet beside a real API server here. */
function logsWithoutNode(at: At): void {
  it('are errors of this port too', async () => {
    await makePod(at, 'lost', { nodeName: 'gone', containers: [{ name: 'app', image: 'example.test/app:1' }] })
    const failure: unknown = await at()
      .api.podLog({ namespace, name: 'lost' })
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'PortError', kind: expect.stringMatching(/^(not-found|unavailable)$/) })
  })
}

function validation(at: At): void {
  it('passes on what the server says of a field that it does not know', async () => {
    const odd = { ...virtualService('odd', 10), spec: { hosts: ['web'], nonsense: true } }
    const failure = await at()
      .api.apply(odd, { force: false })
      .catch((error: unknown) => error)
    expect(failure).toEqual(fails('invalid'))
    expect((failure as Error).message).toContain('nonsense')
  })

  it('passes on what the server says of a wrong value', async () => {
    const odd = { ...virtualService('odd', 10), spec: { hosts: 'web' } }
    const failure = await at()
      .api.apply(odd, { force: false })
      .catch((error: unknown) => error)
    expect(failure).toEqual(fails('invalid'))
    expect((failure as Error).message).toContain('hosts')
  })
}
