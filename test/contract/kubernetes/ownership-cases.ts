import { expect, it } from 'vitest'
import { applier } from './apply-cases.ts'
import type { Body, Kind } from './client.ts'
import { collections, mergeType, objectOf, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

export function ownershipCases(ask: Ask): void {
  const apply = applier(ask)
  const at = (kind: Kind) => collections[kind](ask().namespace)
  const create = (kind: Kind, name: string, parts: Record<string, unknown>) =>
    sendJson(ask(), 'POST', `${at(kind)}?fieldManager=maker`, objectOf(kind, name, parts))
  const fieldsOf = (body: Body, manager: string) =>
    body.metadata.managedFields.find((entry) => entry.manager === manager)?.fieldsV1

  it('writes what the creator of a custom resource owns, maps and all', async () => {
    const parts = {
      metadata: { labels: { a: '1' }, finalizers: ['x.io/y'] },
      spec: { hosts: ['web'], gateways: ['mesh'] },
    }
    const { body } = await create('VirtualService', 'owned', parts)
    expect(body.metadata.managedFields).toMatchObject([
      { manager: 'maker', operation: 'Update', apiVersion: 'networking.istio.io/v1', fieldsType: 'FieldsV1' },
    ])
    expect(fieldsOf(body, 'maker')).toEqual({
      'f:metadata': { 'f:finalizers': { '.': {}, 'v:"x.io/y"': {} }, 'f:labels': { '.': {}, 'f:a': {} } },
      'f:spec': { '.': {}, 'f:gateways': {}, 'f:hosts': {} },
    })
    await sendJson(ask(), 'PATCH', `${at('VirtualService')}/owned`, { metadata: { finalizers: null } }, mergeType)
  })

  it('names the ports of a Service by port and protocol, given or not', async () => {
    const { body } = await apply('Service', 'keyed', 'red', {
      spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80 }] },
    })
    expect(fieldsOf(body, 'red')).toEqual({
      'f:spec': {
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
        'f:selector': {},
      },
    })
  })

  it('gives the creator of a Service the defaults, but not the address', async () => {
    const { body } = await create('Service', 'defaulted', { spec: { ports: [{ name: 'http', port: 80 }] } })
    expect(fieldsOf(body, 'maker')).toEqual({
      'f:spec': {
        'f:internalTrafficPolicy': {},
        'f:ports': {
          '.': {},
          'k:{"port":80,"protocol":"TCP"}': {
            '.': {},
            'f:name': {},
            'f:port': {},
            'f:protocol': {},
            'f:targetPort': {},
          },
        },
        'f:sessionAffinity': {},
        'f:type': {},
      },
    })
  })

  it('lets two appliers share the ports of a Service', async () => {
    await apply('Service', 'two', 'red', { spec: { ports: [{ name: 'http', port: 80 }] } })
    const joined = await apply('Service', 'two', 'blue', { spec: { ports: [{ name: 'admin', port: 81 }] } })
    expect(joined.status).toBe(200)
    expect(joined.body.spec.ports).toMatchObject([{ port: 80 }, { port: 81 }])
    const conflict = await apply('Service', 'two', 'blue', { spec: { ports: [{ name: 'other', port: 80 }] } })
    expect(conflict.status).toBe(409)
    expect(conflict.body.message).toContain('conflict with "red": .spec.ports[port=80,protocol="TCP"].name')
    const left = await apply('Service', 'two', 'red', { spec: { ports: [] } })
    expect(left.body.spec.ports).toMatchObject([{ port: 81 }])
  })

  it('names containers, their variables and their ports by their keys', async () => {
    const container = {
      name: 'main',
      image: 'main:1',
      env: [{ name: 'A', value: '1' }],
      ports: [{ containerPort: 80 }],
    }
    const { body } = await apply('Deployment', 'templated', 'red', {
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } },
      },
    })
    expect(body.metadata.generation).toBe(1)
    expect(body.spec.replicas).toBe(1)
    expect(fieldsOf(body, 'red')).toEqual({
      'f:spec': {
        'f:selector': {},
        'f:template': {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"main"}': {
                '.': {},
                'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:image': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    })
  })

  it('adds a container beside those of another manager', async () => {
    const selector = { matchLabels: { app: 'a' } }
    const metadata = { labels: { app: 'a' } }
    const containers = [{ name: 'main', image: 'main:1' }]
    await apply('Deployment', 'beside', 'red', { spec: { selector, template: { metadata, spec: { containers } } } })
    const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } } }
    const { status, body } = await apply('Deployment', 'beside', 'blue', side)
    expect(status).toBe(200)
    expect(body.spec.template).toMatchObject({ spec: { containers: [{ name: 'main' }, { name: 'side' }] } })
    expect(body.metadata.generation).toBe(2)
  })

  it('merges the ports of a ServiceEntry by name, and owns the lists of a VirtualService as a whole', async () => {
    const entry = { hosts: ['web.example.com'], ports: [{ name: 'http', number: 80 }] }
    await apply('ServiceEntry', 'merged-ports', 'red', { spec: entry })
    const more = { hosts: ['web.example.com'], ports: [{ name: 'tls', number: 443 }] }
    const { status, body } = await apply('ServiceEntry', 'merged-ports', 'blue', { spec: more })
    expect(status).toBe(200)
    expect(body.spec.ports).toMatchObject([{ name: 'http' }, { name: 'tls' }])
    await apply('VirtualService', 'whole-list', 'red', { spec: { hosts: ['web'] } })
    expect((await apply('VirtualService', 'whole-list', 'blue', { spec: { hosts: ['web', 'api'] } })).status).toBe(409)
  })

  it('takes from each manager what an update changes or removes', async () => {
    await apply('ConfigMap', 'taken', 'red', { data: { a: '1', b: '1', c: '1' } })
    const patch = { data: { a: '2', b: null } }
    const { body } = await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/taken?fieldManager=green`, patch, mergeType)
    expect(fieldsOf(body, 'red')).toEqual({ 'f:data': { 'f:c': {} } })
    expect(fieldsOf(body, 'green')).toEqual({ 'f:data': { 'f:a': {} } })
  })

  it('names an updater after its user agent when it gives no name', async () => {
    const path = `${at('ConfigMap')}/agent`
    await apply('ConfigMap', 'agent', 'red', { data: { a: '1' } })
    const { body } = await sendJson(ask(), 'PATCH', path, { data: { b: '1' } }, mergeType)
    expect(fieldsOf(body, 'contract')).toEqual({ 'f:data': { 'f:b': {} } })
  })

  it('keeps the appliers before the updaters, and those of a status apart', async () => {
    await apply('VirtualService', 'ordered', 'red', { spec: { hosts: ['web'] } })
    const path = `${at('VirtualService')}/ordered`
    await sendJson(ask(), 'PATCH', `${path}?fieldManager=green`, { metadata: { labels: { a: '1' } } }, mergeType)
    const { body } = await sendJson(
      ask(),
      'PATCH',
      `${path}/status?fieldManager=green`,
      { status: { a: 1 } },
      mergeType,
    )
    const entries = body.metadata.managedFields.map((entry) => [entry.operation, entry.manager, entry.subresource])
    expect(entries).toEqual([
      ['Apply', 'red', undefined],
      ['Update', 'green', undefined],
      ['Update', 'green', 'status'],
    ])
  })

  it('forgets all owners when an update says so', async () => {
    const { body } = await create('ConfigMap', 'forgotten', { data: { a: '1' } })
    const patch = { metadata: { managedFields: [{}] } }
    const { body: bare } = await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/forgotten`, patch, mergeType)
    expect(body.metadata.managedFields).toHaveLength(1)
    expect(bare.metadata.managedFields).toBeUndefined()
    const applied = await apply('ConfigMap', 'forgotten', 'red', { data: { b: '1' } })
    expect(fieldsOf(applied.body, 'before-first-apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {} } })
    expect(fieldsOf(applied.body, 'red')).toEqual({ 'f:data': { 'f:b': {} } })
  })

  it('puts the oldest updaters together when there are more than ten', async () => {
    await create('ConfigMap', 'crowded', { data: { start: '1' } })
    let last: Body | undefined
    for (const manager of 'abcdefghijkl') {
      const path = `${at('ConfigMap')}/crowded?fieldManager=${manager}`
      last = (await sendJson(ask(), 'PATCH', path, { data: { [manager]: '1' } }, mergeType)).body
    }
    const managers = last?.metadata.managedFields.map((entry) => entry.manager) ?? []
    expect(managers).toHaveLength(10)
    expect(managers).toContain('ancient-changes')
  })
}
