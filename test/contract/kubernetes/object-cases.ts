import { expect, it } from 'vitest'
import type { Kind } from './client.ts'
import { collections, jsonPatchType, mergeType, objectOf, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

const route = (weight: number) => [{ route: [{ destination: { host: 'web', subset: 'v1' }, weight }] }]

export function objectCases(ask: Ask): void {
  const at = (kind: Kind) => collections[kind](ask().namespace)
  const create = (kind: Kind, name: string, parts: Record<string, unknown>) =>
    sendJson(ask(), 'POST', at(kind), objectOf(kind, name, parts))

  it('gives a new object a uid, a revision and an instant, and reads it back', async () => {
    const { status, body } = await create('ConfigMap', 'created', { data: { a: '1' } })
    expect(status).toBe(201)
    expect(body.metadata).toMatchObject({ name: 'created', namespace: ask().namespace })
    expect(body.metadata.uid).toMatch(/^[0-9a-f]{8}-/)
    expect(body.metadata.resourceVersion).toMatch(/^\d+$/)
    expect(body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect((await send(ask(), `${at('ConfigMap')}/created`)).body).toEqual(body)
  })

  it('makes up the end of a generateName', async () => {
    const object = { metadata: { generateName: 'made-' }, data: {} }
    const { body } = await sendJson(ask(), 'POST', at('ConfigMap'), object)
    expect(body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/)
  })

  it('creates nothing in a dry run, but shows it', async () => {
    const path = `${at('ConfigMap')}?dryRun=All`
    const { status, body } = await sendJson(ask(), 'POST', path, objectOf('ConfigMap', 'dry', { data: { a: '1' } }))
    expect(status).toBe(201)
    expect(body.metadata.uid).toBeDefined()
    expect(body.metadata.resourceVersion).toBeUndefined()
    expect((await send(ask(), `${at('ConfigMap')}/dry`)).status).toBe(404)
  })

  it('replaces an object only at the revision that the writer read', async () => {
    const { body: first } = await create('VirtualService', 'replaced', { spec: { hosts: ['web'], http: route(100) } })
    const next = { ...first, spec: { hosts: ['web', 'api'] } }
    const { status, body: second } = await sendJson(ask(), 'PUT', `${at('VirtualService')}/replaced`, next)
    expect(status).toBe(200)
    expect(second.spec).toEqual({ hosts: ['web', 'api'] })
    expect(second.metadata.uid).toBe(first.metadata.uid)
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion))
    const stale = await sendJson(ask(), 'PUT', `${at('VirtualService')}/replaced`, next)
    expect(stale.status).toBe(409)
    expect(stale.body).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on virtualservices.networking.istio.io "replaced": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
      details: { name: 'replaced', group: 'networking.istio.io', kind: 'virtualservices' },
    })
  })

  it('refuses to replace a custom resource at no revision, and a built-in one not', async () => {
    await create('VirtualService', 'unversioned', { spec: { hosts: ['web'] } })
    const custom = objectOf('VirtualService', 'unversioned', { spec: { hosts: ['api'] } })
    const refused = await sendJson(ask(), 'PUT', `${at('VirtualService')}/unversioned`, custom)
    expect(refused.status).toBe(422)
    expect(refused.body.message).toContain(
      'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )
    await create('ConfigMap', 'unversioned', { data: { a: '1' } })
    const builtIn = objectOf('ConfigMap', 'unversioned', { data: { a: '2' } })
    expect((await sendJson(ask(), 'PUT', `${at('ConfigMap')}/unversioned`, builtIn)).status).toBe(200)
  })

  it('refuses to replace an object that was made anew', async () => {
    await create('ConfigMap', 'anew', { data: {} })
    const object = objectOf('ConfigMap', 'anew', { metadata: { uid: 'another' }, data: {} })
    const { status, body } = await sendJson(ask(), 'PUT', `${at('ConfigMap')}/anew`, object)
    expect(status).toBe(409)
    expect(body.message).toContain('Precondition failed: UID in precondition: another, UID in object meta:')
  })

  it('merges a merge patch, and null removes', async () => {
    await create('ConfigMap', 'merged', { metadata: { labels: { a: '1' } }, data: { a: '1', b: '1' } })
    const patch = { metadata: { labels: { b: '2' } }, data: { a: null, c: '3' } }
    const { status, body } = await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/merged`, patch, mergeType)
    expect(status).toBe(200)
    expect(body.data).toEqual({ b: '1', c: '3' })
    expect(body.metadata.labels).toEqual({ a: '1', b: '2' })
  })

  it('holds a merge patch to the revision it names', async () => {
    await create('ConfigMap', 'merged-at', { data: {} })
    const patch = { metadata: { resourceVersion: '1' }, data: { a: '1' } }
    expect((await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/merged-at`, patch, mergeType)).status).toBe(409)
  })

  it('carries out a JSON patch, or none of it when a test fails', async () => {
    await create('VirtualService', 'operated', { spec: { hosts: ['web'], http: route(100) } })
    const path = `${at('VirtualService')}/operated`
    const operations = [
      { op: 'test', path: '/spec/hosts/0', value: 'web' },
      { op: 'replace', path: '/spec/http/0/route/0/weight', value: 90 },
      { op: 'add', path: '/spec/hosts/-', value: 'api' },
    ]
    const { status, body } = await sendJson(ask(), 'PATCH', path, operations, jsonPatchType)
    expect(status).toBe(200)
    expect(body.spec.hosts).toEqual(['web', 'api'])
    expect(body.spec.http).toEqual(route(90))
    const failing = await sendJson(
      ask(),
      'PATCH',
      path,
      [{ op: 'test', path: '/spec/hosts/0', value: 'no' }],
      jsonPatchType,
    )
    expect(failing.status).toBe(422)
    expect(failing.body).toMatchObject({ reason: 'Invalid', details: {} })
  })

  it('does not write what changes nothing', async () => {
    const { body: first } = await create('VirtualService', 'same', { spec: { hosts: ['web'] } })
    const patch = { spec: { hosts: ['web'] } }
    const { body } = await sendJson(ask(), 'PATCH', `${at('VirtualService')}/same`, patch, mergeType)
    expect(body).toEqual(first)
  })

  it('raises the generation with the spec, not with labels or status', async () => {
    const path = `${at('VirtualService')}/generations`
    const { body: first } = await create('VirtualService', 'generations', { spec: { hosts: ['web'] } })
    expect(first.metadata.generation).toBe(1)
    const labelled = await sendJson(ask(), 'PATCH', path, { metadata: { labels: { a: '1' } } }, mergeType)
    expect(labelled.body.metadata.generation).toBe(1)
    const changed = await sendJson(ask(), 'PATCH', path, { spec: { hosts: ['api'] } }, mergeType)
    expect(changed.body.metadata.generation).toBe(2)
    const reported = await sendJson(ask(), 'PATCH', `${path}/status`, { status: { seen: 1 } }, mergeType)
    expect(reported.body.metadata.generation).toBe(2)
    expect(reported.body.status).toEqual({ seen: 1 })
  })

  it('keeps spec and status apart', async () => {
    const path = `${at('VirtualService')}/apart`
    const { body } = await create('VirtualService', 'apart', { spec: { hosts: ['web'] }, status: { seen: 1 } })
    expect(body.status).toBeUndefined()
    const both = { spec: { hosts: ['api'] }, status: { seen: 2 } }
    const toSpec = await sendJson(ask(), 'PATCH', path, both, mergeType)
    expect(toSpec.body).toMatchObject({ spec: { hosts: ['api'] } })
    expect(toSpec.body.status).toBeUndefined()
    const toStatus = await sendJson(ask(), 'PATCH', `${path}/status`, { ...both, spec: { hosts: ['x'] } }, mergeType)
    expect(toStatus.body).toMatchObject({ spec: { hosts: ['api'] }, status: { seen: 2 } })
  })

  it('shows the same object in every version of its group', async () => {
    await create('VirtualService', 'versions', { spec: { hosts: ['web'] } })
    const older = `${at('VirtualService').replace('/v1/', '/v1beta1/')}/versions`
    const { body } = await send(ask(), older)
    expect(body).toMatchObject({ apiVersion: 'networking.istio.io/v1beta1', spec: { hosts: ['web'] } })
  })

  it('fills in what a Service leaves open', async () => {
    const { body } = await create('Service', 'filled', { spec: { selector: { app: 'a' }, ports: [{ port: 80 }] } })
    expect(body.spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    })
    expect(body.spec.clusterIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  })

  it('keeps a pod pending until its status is written', async () => {
    const spec = { containers: [{ name: 'main', image: 'main:1', ports: [{ containerPort: 80 }] }] }
    const { body } = await create('Pod', 'reported', { spec })
    expect(body.status.phase).toBe('Pending')
    expect(body.spec.containers).toMatchObject([{ imagePullPolicy: 'IfNotPresent', ports: [{ protocol: 'TCP' }] }])
    const status = { phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] }
    const written = await sendJson(ask(), 'PATCH', `${at('Pod')}/reported/status`, { status }, mergeType)
    expect(written.body.status).toMatchObject({ phase: 'Running', podIP: '10.1.2.3' })
  })

  it('deletes, and then knows nothing of it', async () => {
    const { body: made } = await create('VirtualService', 'deleted', { spec: { hosts: ['web'] } })
    const options = { propagationPolicy: 'Background', preconditions: { uid: made.metadata.uid } }
    const { status, body } = await sendJson(ask(), 'DELETE', `${at('VirtualService')}/deleted`, options)
    expect(status).toBe(200)
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: 'deleted',
        group: 'networking.istio.io',
        kind: 'virtualservices',
        uid: made.metadata.uid,
      },
    })
    expect((await send(ask(), `${at('VirtualService')}/deleted`)).status).toBe(404)
  })

  it('deletes only the object that the preconditions describe', async () => {
    await create('VirtualService', 'guarded', { spec: { hosts: ['web'] } })
    const remove = (preconditions: Record<string, string>) =>
      sendJson(ask(), 'DELETE', `${at('VirtualService')}/guarded`, { preconditions })
    const byUid = await remove({ uid: 'another' })
    expect(byUid.status).toBe(409)
    expect(byUid.body.message).toContain(
      'Operation cannot be fulfilled on VirtualService.networking.istio.io "guarded": the UID in the precondition (another)',
    )
    const byRevision = await remove({ resourceVersion: '1' })
    expect(byRevision.status).toBe(409)
    expect(byRevision.body.message).toContain('the ResourceVersion in the precondition (1) does not match')
    expect((await send(ask(), `${at('VirtualService')}/guarded`)).status).toBe(200)
  })

  it('deletes nothing in a dry run', async () => {
    await create('ConfigMap', 'kept', { data: {} })
    expect((await send(ask(), `${at('ConfigMap')}/kept?dryRun=All`, { method: 'DELETE' })).status).toBe(200)
    expect((await send(ask(), `${at('ConfigMap')}/kept`)).status).toBe(200)
  })

  it('only marks an object that a finalizer holds, and lets it go with the finalizer', async () => {
    const path = `${at('VirtualService')}/held`
    await create('VirtualService', 'held', { metadata: { finalizers: ['example.com/hold'] }, spec: { hosts: ['web'] } })
    const marked = await send(ask(), path, { method: 'DELETE' })
    expect(marked.status).toBe(200)
    expect(marked.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 })
    expect(marked.body.metadata.deletionTimestamp).toBeDefined()
    expect((await send(ask(), path, { method: 'DELETE' })).body).toEqual(marked.body)
    const more = await sendJson(ask(), 'PATCH', path, { metadata: { finalizers: ['x.io/y'] } }, mergeType)
    expect(more.status).toBe(422)
    const released = await sendJson(ask(), 'PATCH', path, { metadata: { finalizers: null } }, mergeType)
    expect(released.status).toBe(200)
    expect((await send(ask(), path)).status).toBe(404)
  })

  it('marks a namespace as terminating and lets nothing new into it', async () => {
    const name = `${ask().namespace}-gone`
    const made = await sendJson(ask(), 'POST', '/api/v1/namespaces', { metadata: { name } })
    expect(made.body).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': name } },
      status: { phase: 'Active' },
    })
    const path = `/api/v1/namespaces/${name}/configmaps`
    const held = { metadata: { name: 'held', finalizers: ['example.com/hold'] } }
    expect((await sendJson(ask(), 'POST', path, held)).status).toBe(201)
    const { status, body } = await send(ask(), `/api/v1/namespaces/${name}`, { method: 'DELETE' })
    expect(status).toBe(200)
    expect(body.status.phase).toBe('Terminating')
    const refused = await sendJson(ask(), 'POST', path, { metadata: { name: 'late' } })
    expect(refused.status).toBe(403)
    expect(refused.body.message).toBe(
      `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
    )
    expect(refused.body.details.causes[0]?.reason).toBe('NamespaceTerminating')
  })
}
