import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import type { Write } from '../../../../../src/sandbox/emulators/kubernetes/store.ts'
import { memoryStorage, sqliteStorage } from '../../../../../src/sandbox/storage.ts'
import { send, sendJson } from '../../../../contract/kubernetes/client.ts'
import { fixture, routeObject, routes } from './fixture.ts'

describe('the Kubernetes emulator', () => {
  it('keeps objects, revisions and owners over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubernetes-emulator-'))
    try {
      const first = sqliteStorage(join(folder, 'state.db'))
      const before = await fixture({}, first).apply(`${routes}/web`, routeObject('web'))
      first.close()
      const second = sqliteStorage(join(folder, 'state.db'))
      const after = fixture({}, second)
      expect((await after.get(`${routes}/web`)).body).toEqual(before.body)
      const changed = await after.apply(`${routes}/web`, routeObject('web', ['api']))
      expect(changed.status).toBe(200)
      expect(Number(changed.body.metadata.resourceVersion)).toBeGreaterThan(
        Number(before.body.metadata.resourceVersion),
      )
      second.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('keeps two clusters in one storage apart', () => {
    const context = { now: () => 0, random: () => 0.5, storage: memoryStorage() }
    const [east, west] = ['east', 'west'].map((name) => kubernetesEmulator(context, { name, tokens: {} }))
    east?.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'here', namespace: 'shop' } }])
    expect(east?.get('v1', 'ConfigMap', 'shop', 'here')).toBeDefined()
    expect(west?.get('v1', 'ConfigMap', 'shop', 'here')).toBeUndefined()
  })

  it('has no objects of a kind that it does not serve', () => {
    const { emulator } = fixture()
    expect(emulator.list('linkerd.io/v1', 'Nothing')).toEqual([])
    expect(() => emulator.get('linkerd.io/v1', 'Nothing', 'shop', 'x')).toThrow('does not serve Nothing')
    const object = { apiVersion: 'linkerd.io/v1', kind: 'Nothing', metadata: { name: 'x' } }
    expect(() => emulator.seed([object])).toThrow('does not serve Nothing')
  })

  it('tells of every stored change before it answers, and of none that was not stored', async () => {
    const { emulator, apply, connection } = fixture()
    const writes: Write[] = []
    emulator.onWrite((write) => writes.push(write))
    await apply(`${routes}/web`, routeObject('web'))
    await apply(`${routes}/web`, routeObject('web'))
    await apply(`${routes}/web`, routeObject('web', ['api']))
    await apply(`${routes}/web`, routeObject('web', ['other']), 'blue')
    await send(connection, `${routes}/web`, { method: 'DELETE' })
    expect(writes.map(({ verb }) => verb)).toEqual(['create', 'update', 'delete'])
    expect(writes[1]?.previous?.spec).toEqual({ hosts: ['web'] })
    expect(writes[1]?.object.spec).toEqual({ hosts: ['api'] })
  })

  it('makes the namespace of what it is seeded with, and writes the same seed once', async () => {
    const { emulator, get } = fixture()
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'new', labels: { app: 'a' } },
      spec: { containers: [{ name: 'main', image: 'main:1' }] },
      status: { phase: 'Running', podIP: '10.1.2.3' },
    }
    emulator.seed([pod])
    const first = await get('/api/v1/namespaces/new/pods/a')
    expect(first.body).toMatchObject({ status: pod.status, metadata: { labels: { app: 'a' } } })
    emulator.seed([pod])
    expect((await get('/api/v1/namespaces/new/pods/a')).body).toEqual(first.body)
    emulator.seed([{ ...pod, status: { phase: 'Failed' } }])
    const { body } = await get('/api/v1/namespaces/new/pods/a')
    expect(body.status).toEqual({ phase: 'Failed' })
    expect(body.metadata.uid).toBe(first.body.metadata.uid)
    expect(body.metadata.generation).toBe(1)
    expect(emulator.remove('v1', 'Pod', 'new', 'a')).toBe(true)
    expect(emulator.remove('v1', 'Pod', 'new', 'a')).toBe(false)
  })

  it('leaves an applier what it owns when a seed changes something else', async () => {
    const { emulator, get, apply } = fixture()
    await apply(`${routes}/web`, routeObject('web'))
    emulator.seed([{ ...routeObject('web'), status: { seen: true } }])
    const { body } = await get(`${routes}/web`)
    expect(body.metadata.managedFields).toMatchObject([
      { manager: 'red', fieldsV1: { 'f:spec': { 'f:hosts': {} } } },
      { manager: 'sandbox', fieldsV1: { 'f:status': { '.': {}, 'f:seen': {} } } },
    ])
  })

  it('serves no group whose definitions are gone, and forgets their objects', async () => {
    const { connection, get, apply } = fixture()
    await apply(`${routes}/web`, routeObject('web'))
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const { body } = await get(definitions)
    const istio = body.items.filter((item) => item.spec.group === 'networking.istio.io')
    for (const item of istio) await send(connection, `${definitions}/${item.metadata.name}`, { method: 'DELETE' })
    for (const path of [routes, `${routes}/web`, '/apis/networking.istio.io/v1', '/apis/networking.istio.io']) {
      expect((await get(path)).status).toBe(404)
    }
    const groups = (await get('/apis')).body.groups.map((group) => group.name)
    expect(groups).not.toContain('networking.istio.io')
    for (const { metadata, spec } of istio) {
      const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', spec }
      await sendJson(connection, 'POST', definitions, { ...definition, metadata: { name: metadata.name } })
    }
    expect((await get(routes)).body.items).toEqual([])
  })

  it('takes the content of a namespace with it, but waits for finalizers', async () => {
    const { connection, get, apply } = fixture()
    await apply(`${routes}/web`, routeObject('web'))
    const held = { ...routeObject('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } }
    await apply(`${routes}/held`, held)
    await send(connection, '/api/v1/namespaces/shop', { method: 'DELETE' })
    expect((await get(`${routes}/web`)).status).toBe(404)
    expect((await get('/api/v1/namespaces/shop')).body.status.phase).toBe('Terminating')
    await apply(`${routes}/held`, routeObject('held'))
    expect((await get(`${routes}/held`)).status).toBe(404)
    expect((await get('/api/v1/namespaces/shop')).status).toBe(404)
  })

  it('has no watch and says so', async () => {
    const { get } = fixture()
    const { status, body } = await get(`${routes}?watch=true`)
    expect(status).toBe(405)
    expect(body.message).toBe('watch is not supported on resources of kind "virtualservices.networking.istio.io"')
  })

  it('sends callers away for a while when told to', async () => {
    const { emulator, get } = fixture()
    emulator.throttle(2, 3)
    for (const _ of [1, 2]) {
      const { status, headers } = await get('/version')
      expect([status, headers.get('retry-after')]).toEqual([429, '3'])
    }
    expect((await get('/version')).status).toBe(200)
  })
})

describe('continue tokens', () => {
  const oldToken = async (grow: (made: ReturnType<typeof fixture>) => void) => {
    const made = fixture()
    for (const name of ['a', 'b', 'c']) await made.apply(`${routes}/${name}`, routeObject(name))
    const { body } = await made.get(`${routes}?limit=1`)
    grow(made)
    return { made, answer: await made.get(`${routes}?limit=1&continue=${body.metadata.continue}`) }
  }

  it('expire after five minutes, with a way on for who can bear an inconsistent list', async () => {
    const { made, answer } = await oldToken(({ pass }) => pass(5 * 60_000 + 1))
    expect(answer.status).toBe(410)
    expect(answer.body).toMatchObject({ kind: 'Status', reason: 'Expired', code: 410 })
    expect(answer.body.message).toContain(
      'The provided continue parameter is too old to display a consistent list result.',
    )
    const rest = await made.get(`${routes}?limit=5&continue=${answer.body.metadata.continue}`)
    expect(rest.body.items.map((item) => item.metadata.name)).toEqual(['b', 'c'])
  })

  it('expire when the history is compacted', async () => {
    const { answer } = await oldToken(({ emulator }) => emulator.compact())
    expect(answer.status).toBe(410)
  })

  it('hold until then', async () => {
    const { answer } = await oldToken(({ pass }) => pass(4 * 60_000))
    expect(answer.status).toBe(200)
  })
})

describe('access by rules', () => {
  const rules = [
    { verbs: ['get', 'list', 'patch'], apiGroups: ['networking.istio.io'], resources: ['virtualservices'] },
    { verbs: ['*'], apiGroups: [''], resources: ['configmaps'], namespaces: ['shop'], resourceNames: ['mine'] },
  ]
  const made = () => fixture({ limited: { user: 'mesh', groups: [], rules } })
  const asLimited = { headers: { authorization: 'Bearer limited', 'content-type': 'application/apply-patch+yaml' } }

  it('allows what a rule covers and forbids the rest in the words of the real server', async () => {
    const { get } = made()
    expect((await get(routes, 'limited')).status).toBe(200)
    expect((await get('/apis', 'limited')).status).toBe(200)
    const { status, body } = await get('/api/v1/namespaces/shop/configmaps/other', 'limited')
    expect(status).toBe(403)
    expect(body.message).toBe(
      'configmaps "other" is forbidden: User "mesh" cannot get resource "configmaps" in API group "" in the namespace "shop"',
    )
    expect((await get('/api/v1/namespaces/shop/configmaps/mine', 'limited')).status).toBe(404)
    expect((await get('/api/v1/namespaces/default/configmaps/mine', 'limited')).status).toBe(403)
  })

  it('lets nobody create by apply who may only patch', async () => {
    const { connection, apply } = made()
    const init = { ...asLimited, method: 'PATCH', body: JSON.stringify(routeObject('web')) }
    const refused = await send(connection, `${routes}/web?fieldManager=red`, init)
    expect(refused.status).toBe(403)
    expect(refused.body.message).toContain('User "mesh" cannot create resource "virtualservices"')
    await apply(`${routes}/web`, routeObject('web'))
    expect((await send(connection, `${routes}/web?fieldManager=red`, init)).status).toBe(200)
  })

  it('reviews by the same rules', async () => {
    const { connection } = made()
    const review = async (attributes: object) => {
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const headers = { authorization: 'Bearer limited', 'content-type': 'application/json' }
      const body = JSON.stringify({ spec: { resourceAttributes: attributes } })
      return (await send(connection, path, { method: 'POST', headers, body })).body.status.allowed
    }
    const group = 'networking.istio.io'
    expect(await review({ verb: 'patch', group, resource: 'virtualservices', namespace: 'shop' })).toBe(true)
    expect(await review({ verb: 'delete', group, resource: 'virtualservices', namespace: 'shop' })).toBe(false)
    expect(await review({ verb: 'get', group, resource: 'virtualservices', subresource: 'status' })).toBe(false)
  })
})
