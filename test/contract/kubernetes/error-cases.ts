import { expect, it } from 'vitest'
import type { Kind } from './client.ts'
import { applyType, collections, jsonPatchType, mergeType, objectOf, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

export function errorCases(ask: Ask): void {
  const at = (kind: Kind) => collections[kind](ask().namespace)
  const post = (kind: Kind, body: unknown, type?: string) => sendJson(ask(), 'POST', at(kind), body, type)
  const apply = (query: string, object: unknown, name = 'x') =>
    sendJson(ask(), 'PATCH', `${at('VirtualService')}/${name}${query}`, object, applyType)
  const route = (name: string) => objectOf('VirtualService', name, { spec: { hosts: ['web'] } })

  it('does not know an object that is not there', async () => {
    const { status, body } = await send(ask(), `${at('VirtualService')}/nothing`)
    expect(status).toBe(404)
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'virtualservices.networking.istio.io "nothing" not found',
      reason: 'NotFound',
      details: { name: 'nothing', group: 'networking.istio.io', kind: 'virtualservices' },
      code: 404,
    })
    const core = await send(ask(), `${at('ConfigMap')}/nothing`)
    expect(core.body).toMatchObject({
      message: 'configmaps "nothing" not found',
      details: { name: 'nothing', kind: 'configmaps' },
    })
  })

  it('replaces, patches and deletes nothing that is not there', async () => {
    const path = `${at('ConfigMap')}/nothing`
    expect((await sendJson(ask(), 'PUT', path, objectOf('ConfigMap', 'nothing', {}))).status).toBe(404)
    expect((await sendJson(ask(), 'PATCH', path, {}, mergeType)).status).toBe(404)
    expect((await send(ask(), path, { method: 'DELETE' })).status).toBe(404)
  })

  it('creates nothing in a namespace that is not there', async () => {
    const path = collections.ConfigMap('no-such-namespace')
    const { status, body } = await sendJson(ask(), 'POST', path, objectOf('ConfigMap', 'x', {}))
    expect(status).toBe(404)
    expect(body).toMatchObject({
      message: 'namespaces "no-such-namespace" not found',
      details: { name: 'no-such-namespace', kind: 'namespaces' },
    })
    const applied = `${collections.VirtualService('no-such-namespace')}/x?fieldManager=red&dryRun=All`
    expect((await sendJson(ask(), 'PATCH', applied, route('x'), applyType)).status).toBe(404)
  })

  it('creates nothing twice', async () => {
    await post('VirtualService', route('twice'))
    const { status, body } = await post('VirtualService', route('twice'))
    expect(status).toBe(409)
    expect(body).toMatchObject({
      reason: 'AlreadyExists',
      message: 'virtualservices.networking.istio.io "twice" already exists',
      details: { name: 'twice', group: 'networking.istio.io', kind: 'virtualservices' },
    })
  })

  it('creates nothing at a revision', async () => {
    const object = objectOf('ConfigMap', 'revised', { metadata: { resourceVersion: '5' } })
    const { status, body } = await post('ConfigMap', object)
    expect(status).toBe(500)
    expect(body.message).toBe('resourceVersion should not be set on objects to be created')
  })

  it.each(['Not_A_Name', '-x', 'x..y', 'a'.repeat(254)])('refuses the name %s', async (name) => {
    const { status, body } = await post('ConfigMap', objectOf('ConfigMap', name, {}))
    expect(status).toBe(422)
    expect(body).toMatchObject({ reason: 'Invalid', details: { name, kind: 'ConfigMap' } })
    expect(body.details.causes[0]).toMatchObject({ reason: 'FieldValueInvalid', field: 'metadata.name' })
    expect(body.message.startsWith(`ConfigMap "${name}" is invalid: metadata.name: Invalid value: "${name}": `)).toBe(
      true,
    )
  })

  it('says how a name must look', async () => {
    const { body } = await apply('?fieldManager=red', route('Not_A_Name'), 'Not_A_Name')
    expect(body.message).toBe(
      'VirtualService.networking.istio.io "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a lowercase ' +
        "RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
        "alphanumeric character (e.g. 'example.com', regex used for validation is " +
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    )
  })

  it('refuses a namespace that is no DNS label', async () => {
    const dotted = await sendJson(ask(), 'POST', '/api/v1/namespaces', { metadata: { name: 'a.b' } })
    expect(dotted.status).toBe(422)
    expect(dotted.body.message).toBe(
      'Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots',
    )
    const { body } = await sendJson(ask(), 'POST', '/api/v1/namespaces', { metadata: { name: 'A_b' } })
    expect(body.message).toContain('a lowercase RFC 1123 label must consist of')
  })

  it('requires a name', async () => {
    const { status, body } = await post('ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })
    expect(status).toBe(422)
    expect(body.details.causes).toEqual([
      {
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
        field: 'metadata.name',
      },
    ])
  })

  it.each([
    [{ labels: { 'a b': 'c' } }, 'metadata.labels'],
    [{ labels: { a: 'b c' } }, 'metadata.labels'],
    [{ labels: { 'Not/Valid/Key': 'c' } }, 'metadata.labels'],
    [{ annotations: { 'a b': 'c' } }, 'metadata.annotations'],
  ])('refuses the metadata %j', async (metadata, field) => {
    const { status, body } = await post('ConfigMap', objectOf('ConfigMap', 'badly-labelled', { metadata }))
    expect(status).toBe(422)
    expect(body.details.causes[0]?.field).toBe(field)
  })

  it('refuses an object of another kind, version, namespace or name', async () => {
    const version = await post('VirtualService', { ...route('x'), apiVersion: 'networking.istio.io/v1beta1' })
    expect(version.body).toMatchObject({
      code: 400,
      message:
        'the API version in the data (networking.istio.io/v1beta1) does not match the expected API version ' +
        '(networking.istio.io/v1)',
    })
    const kind = await post('VirtualService', { ...route('x'), kind: 'DestinationRule' })
    expect(kind.body).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(kind.body.message).toContain('kind: Invalid value: "DestinationRule": must be VirtualService')
    expect((await post('ConfigMap', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } })).status).toBe(400)
    const namespace = await post('ConfigMap', objectOf('ConfigMap', 'x', { metadata: { namespace: 'other' } }))
    expect(namespace.body).toMatchObject({
      code: 400,
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    })
    const name = await sendJson(ask(), 'PUT', `${at('ConfigMap')}/one`, objectOf('ConfigMap', 'other', {}))
    expect(name.body).toMatchObject({
      code: 400,
      message: 'the name of the object (other) does not match the name on the URL (one)',
    })
  })

  it('refuses an applied object of another kind, version or name, and one that brings owners', async () => {
    const query = '?fieldManager=red'
    const version = await apply(query, { ...route('x'), apiVersion: 'networking.istio.io/v1beta1' })
    expect(version.body.message).toBe('invalid object type: networking.istio.io/v1beta1, Kind=VirtualService')
    const kind = await apply(query, { kind: 'VirtualService', metadata: { name: 'x' } })
    expect(kind.body.message).toBe('invalid object type: /, Kind=VirtualService')
    const name = await apply(query, route('other'))
    expect(name.body.message).toBe('the name of the object (other) does not match the name on the URL (x)')
    const nameless = await apply(query, { ...route('x'), metadata: {} })
    expect(nameless.status).toBe(400)
    const owners = await apply(query, objectOf('VirtualService', 'x', { metadata: { managedFields: [] } }))
    expect(owners.body).toMatchObject({ code: 400, message: 'metadata.managedFields must be nil' })
    expect((await send(ask(), `${at('VirtualService')}/x`)).status).toBe(404)
  })

  it('refuses an applied list with two items of one key', async () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 80 },
    ]
    const path = `${at('Service')}/doubled?fieldManager=red`
    const { status, body } = await sendJson(
      ask(),
      'PATCH',
      path,
      objectOf('Service', 'doubled', { spec: { ports } }),
      applyType,
    )
    expect(status).toBe(500)
    expect(body.message).toBe(
      'failed to create typed patch object (/doubled; /v1, Kind=Service): .spec.ports: duplicate entries for key ' +
        '[port=80,protocol="TCP"]',
    )
  })

  it('takes nothing but strings for labels and annotations', async () => {
    const numbered = objectOf('VirtualService', 'numbered', {
      metadata: { annotations: { revision: 7 } },
      spec: { hosts: ['web'] },
    })
    const applied = await apply('?fieldManager=red', numbered, 'numbered')
    expect(applied.status).toBe(500)
    expect(applied.body.message).toBe(
      'failed to create typed patch object (/numbered; networking.istio.io/v1, Kind=VirtualService): ' +
        '.metadata.annotations.revision: expected string, got &value.valueUnstructured{Value:7}',
    )
    const posted = await post('VirtualService', numbered)
    expect(posted.status).toBe(400)
    expect(posted.body.message).toContain(
      'json: cannot unmarshal number into Go struct field ObjectMeta.annotations of type string',
    )
    await apply('?fieldManager=red', route('numbered'), 'numbered')
    const patch = { metadata: { annotations: { revision: 7 } } }
    const patched = await sendJson(ask(), 'PATCH', `${at('VirtualService')}/numbered`, patch, mergeType)
    expect(patched.status).toBe(422)
    expect(patched.body.details.causes[0]?.field).toBe('patch')
    const core = await post('ConfigMap', objectOf('ConfigMap', 'numbered', { data: { a: 1 } }))
    expect(core.body.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ' +
        'ConfigMap.data of type string',
    )
  })

  it('requires a field manager of appliers, and lets only them force', async () => {
    const unnamed = await apply('', route('x'))
    expect(unnamed.status).toBe(422)
    expect(unnamed.body).toMatchObject({
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: { group: 'meta.k8s.io', kind: 'PatchOptions' },
    })
    const forced = await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/x?force=true`, {}, mergeType)
    expect(forced.body.message).toContain('force: Forbidden: may not be specified for non-apply patch')
    const named = await apply(`?fieldManager=${'a'.repeat(129)}`, route('x'))
    expect(named.body.details.causes[0]?.field).toBe('fieldManager')
  })

  it('refuses options that it does not know', async () => {
    const dry = await apply('?fieldManager=red&dryRun=Some', route('x'))
    expect(dry.body.message).toContain('dryRun: Unsupported value: ["Some"]: supported values: "All"')
    const validation = await apply('?fieldManager=red&fieldValidation=Some', route('x'))
    expect(validation.status).toBe(422)
    const policy = await sendJson(ask(), 'DELETE', `${at('ConfigMap')}/kube-root`, { propagationPolicy: 'Some' })
    expect([404, 422]).toContain(policy.status)
  })

  it('refuses patches and bodies in other formats', async () => {
    const patched = await sendJson(
      ask(),
      'PATCH',
      `${at('VirtualService')}/x?fieldManager=red`,
      {},
      'application/apply-patch+json',
    )
    expect(patched.status).toBe(415)
    expect(patched.body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, ' +
        'application/merge-patch+json, application/apply-patch+yaml',
    )
    expect((await sendJson(ask(), 'PATCH', `${at('ConfigMap')}/x`, {}, 'application/nothing')).status).toBe(415)
    expect((await post('ConfigMap', {}, 'text/plain')).status).toBe(415)
  })

  it('refuses broken bodies', async () => {
    const broken = (path: string, method: string, type: string, body: string) =>
      send(ask(), path, { method, headers: { 'content-type': type }, body })
    await post('ConfigMap', objectOf('ConfigMap', 'unbroken', {}))
    const path = `${at('ConfigMap')}/unbroken`
    expect((await broken(at('ConfigMap'), 'POST', 'application/json', '{"kind":')).status).toBe(400)
    expect((await broken(path, 'PATCH', mergeType, '{')).status).toBe(400)
    expect((await broken(path, 'PATCH', mergeType, '[]')).status).toBe(400)
    expect((await broken(path, 'PATCH', jsonPatchType, '{}')).status).toBe(400)
    expect((await broken(`${path}?fieldManager=red`, 'PATCH', applyType, 'a: b: c')).status).toBe(400)
    expect((await broken(`${path}?fieldManager=red`, 'PATCH', applyType, '[]')).status).toBe(400)
  })

  it.each([
    ['PUT', ''],
    ['POST', '/x'],
    ['PATCH', ''],
  ])('does not allow %s on %s', async (method, name) => {
    const { status, body } = await sendJson(ask(), method, `${at('ConfigMap')}${name}`, {})
    expect(status).toBe(405)
    expect(body).toMatchObject({
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
    })
  })

  it('knows no status of objects without one', async () => {
    expect((await send(ask(), `${at('ConfigMap')}/x/status`)).status).toBe(404)
    const other = await send(ask(), `${at('VirtualService')}/x/nothing`)
    expect(other.body.message).toBe('virtualservices.networking.istio.io "x" not found')
  })
}
