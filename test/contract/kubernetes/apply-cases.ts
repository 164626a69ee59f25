import { expect, it } from 'vitest'
import type { Answer, Kind } from './client.ts'
import { applyType, collections, mergeType, objectOf, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

const weights = (v1: number) => [
  {
    route: [
      { destination: { host: 'web', subset: 'v1' }, weight: v1 },
      { destination: { host: 'web', subset: 'v2' }, weight: 100 - v1 },
    ],
  },
]

/** Applies an object by a manager; `query` adds options. */
export function applier(ask: Ask) {
  return (kind: Kind, name: string, manager: string, parts: Record<string, unknown>, query = ''): Promise<Answer> => {
    const path = `${collections[kind](ask().namespace)}/${name}?fieldManager=${manager}${query}`
    return sendJson(ask(), 'PATCH', path, objectOf(kind, name, parts), applyType)
  }
}

export function applyCases(ask: Ask): void {
  const apply = applier(ask)
  const at = (kind: Kind) => collections[kind](ask().namespace)

  it('creates what is not there', async () => {
    const { status, body } = await apply('VirtualService', 'first', 'red', {
      spec: { hosts: ['web'], http: weights(100) },
    })
    expect(status).toBe(201)
    expect(body.metadata.generation).toBe(1)
    expect(body.metadata.managedFields).toEqual([
      {
        manager: 'red',
        operation: 'Apply',
        apiVersion: 'networking.istio.io/v1',
        time: body.metadata.creationTimestamp,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:hosts': {}, 'f:http': {} } },
      },
    ])
  })

  it('writes nothing when it is applied again', async () => {
    const parts = { metadata: { labels: { a: '1' } }, spec: { hosts: ['web'], http: weights(90) } }
    const first = await apply('VirtualService', 'again', 'red', parts)
    const second = await apply('VirtualService', 'again', 'red', parts)
    expect(second.status).toBe(200)
    expect(second.body).toEqual(first.body)
  })

  it('changes its own fields without being asked to force', async () => {
    await apply('VirtualService', 'own', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const { status, body } = await apply('VirtualService', 'own', 'red', {
      spec: { hosts: ['web'], http: weights(50) },
    })
    expect(status).toBe(200)
    expect(body.spec.http).toEqual(weights(50))
    expect(body.metadata.generation).toBe(2)
  })

  it('reads YAML', async () => {
    const body = [
      'apiVersion: networking.istio.io/v1',
      'kind: VirtualService',
      'metadata: {name: yaml}',
      'spec:',
      '  hosts: [web]',
    ].join('\n')
    const path = `${at('VirtualService')}/yaml?fieldManager=red`
    const answer = await send(ask(), path, { method: 'PATCH', headers: { 'content-type': applyType }, body })
    expect(answer.status).toBe(201)
    expect(answer.body.spec).toEqual({ hosts: ['web'] })
  })

  it('refuses to change what another manager owns, and says whose it is', async () => {
    await apply('VirtualService', 'contested', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const one = await apply('VirtualService', 'contested', 'blue', { spec: { hosts: ['web'], http: weights(10) } })
    expect(one.status).toBe(409)
    expect(one.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Apply failed with 1 conflict: conflict with "red": .spec.http',
      reason: 'Conflict',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "red"', field: '.spec.http' }] },
      code: 409,
    })
    const two = await apply('VirtualService', 'contested', 'blue', { spec: { hosts: ['api'], http: weights(10) } })
    expect(two.body.message).toBe('Apply failed with 2 conflicts: conflicts with "red":\n- .spec.hosts\n- .spec.http')
    expect(two.body.details.causes.map((cause) => cause.field)).toEqual(['.spec.hosts', '.spec.http'])
  })

  it('names the version that an updater wrote with', async () => {
    await apply('VirtualService', 'patched', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const path = `${at('VirtualService')}/patched?fieldManager=kubectl-edit`
    await sendJson(ask(), 'PATCH', path, { spec: { http: weights(80) } }, mergeType)
    const { status, body } = await apply('VirtualService', 'patched', 'red', {
      spec: { hosts: ['web'], http: weights(70) },
    })
    expect(status).toBe(409)
    expect(body.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using networking.istio.io/v1: .spec.http',
    )
  })

  it('takes over when it is forced', async () => {
    await apply('VirtualService', 'forced', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const { status, body } = await apply(
      'VirtualService',
      'forced',
      'blue',
      { spec: { http: weights(10) } },
      '&force=true',
    )
    expect(status).toBe(200)
    expect(body.spec).toEqual({ hosts: ['web'], http: weights(10) })
    const fields = Object.fromEntries(body.metadata.managedFields.map((entry) => [entry.manager, entry.fieldsV1]))
    expect(fields).toEqual({ red: { 'f:spec': { 'f:hosts': {} } }, blue: { 'f:spec': { 'f:http': {} } } })
  })

  it('removes what it applies no more and nobody else owns', async () => {
    const parts = { metadata: { annotations: { a: '1', b: '1' } }, spec: { hosts: ['web'], http: weights(90) } }
    await apply('VirtualService', 'shrunk', 'red', parts)
    const { body } = await apply('VirtualService', 'shrunk', 'red', {
      metadata: { annotations: { b: '1' } },
      spec: { hosts: ['web'] },
    })
    expect(body.spec).toEqual({ hosts: ['web'] })
    expect(body.metadata.annotations).toEqual({ b: '1' })
  })

  it('keeps what another manager owns with it', async () => {
    await apply('VirtualService', 'shared', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const joined = await apply('VirtualService', 'shared', 'blue', { spec: { http: weights(90) } })
    expect(joined.status).toBe(200)
    // Who joins without changing anything has no time yet.
    const times = joined.body.metadata.managedFields.map(({ manager, time }) => [manager, time !== undefined])
    expect(times).toEqual([
      ['blue', false],
      ['red', true],
    ])
    const left = await apply('VirtualService', 'shared', 'red', { spec: { hosts: ['web'] } })
    expect(left.body.spec.http).toEqual(weights(90))
  })

  it('keeps what an updater wrote when the applier that had it lets go', async () => {
    await apply('VirtualService', 'edited', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const path = `${at('VirtualService')}/edited?fieldManager=kubectl-edit`
    await sendJson(ask(), 'PATCH', path, { spec: { http: weights(80) } }, mergeType)
    const { status, body } = await apply('VirtualService', 'edited', 'red', { spec: { hosts: ['web'] } })
    expect(status).toBe(200)
    expect(body.spec.http).toEqual(weights(80))
  })

  it('leaves what a creator by POST wrote to that creator for ever', async () => {
    const object = objectOf('VirtualService', 'posted', { spec: { hosts: ['web'], http: weights(90) } })
    await sendJson(ask(), 'POST', `${at('VirtualService')}?fieldManager=red`, object)
    await apply('VirtualService', 'posted', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const { body } = await apply('VirtualService', 'posted', 'red', { spec: { hosts: ['web'] } })
    expect(body.spec.http).toEqual(weights(90))
  })

  it('refuses to leave a struct that is shared as empty with nothing in it', async () => {
    await apply('DestinationRule', 'emptied', 'red', { spec: { host: 'web', trafficPolicy: {} } })
    const policy = { loadBalancer: { simple: 'RANDOM' } }
    await apply('DestinationRule', 'emptied', 'blue', { spec: { host: 'web', trafficPolicy: policy } })
    const { status, body } = await apply('DestinationRule', 'emptied', 'blue', { spec: { host: 'web' } })
    expect(status).toBe(422)
    expect(body.message).toContain('spec.trafficPolicy in body must be of type object: "null"')
  })

  it('changes nothing in a dry run, and shows what it would', async () => {
    await apply('VirtualService', 'rehearsed', 'red', { spec: { hosts: ['web'], http: weights(90) } })
    const before = await send(ask(), `${at('VirtualService')}/rehearsed`)
    const parts = { spec: { hosts: ['web'], http: weights(50) } }
    const { status, body } = await apply('VirtualService', 'rehearsed', 'red', parts, '&dryRun=All')
    expect(status).toBe(200)
    expect(body.spec.http).toEqual(weights(50))
    expect(body.metadata.generation).toBe(2)
    expect(body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion)
    expect(await send(ask(), `${at('VirtualService')}/rehearsed`)).toMatchObject({ body: before.body })
  })

  it('rehearses a creation without a revision', async () => {
    const { status, body } = await apply('VirtualService', 'unborn', 'red', { spec: { hosts: ['web'] } }, '&dryRun=All')
    expect(status).toBe(201)
    expect(body.metadata.resourceVersion).toBeUndefined()
    expect((await send(ask(), `${at('VirtualService')}/unborn`)).status).toBe(404)
  })

  it('reports conflicts in a dry run as well', async () => {
    await apply('VirtualService', 'foreseen', 'red', { spec: { hosts: ['web'] } })
    const { status } = await apply('VirtualService', 'foreseen', 'blue', { spec: { hosts: ['api'] } }, '&dryRun=All')
    expect(status).toBe(409)
  })

  it('holds to the revision that the applied object names', async () => {
    const first = await apply('VirtualService', 'at-revision', 'red', { spec: { hosts: ['web'] } })
    const { resourceVersion, uid } = first.body.metadata
    const metadata = { resourceVersion, uid }
    const second = await apply('VirtualService', 'at-revision', 'red', { metadata, spec: { hosts: ['api'] } })
    expect(second.status).toBe(200)
    const stale = await apply(
      'VirtualService',
      'at-revision',
      'red',
      { metadata, spec: { hosts: ['x'] } },
      '&force=true',
    )
    expect(stale.status).toBe(409)
    expect(stale.body).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on virtualservices.networking.istio.io "at-revision": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
      details: { name: 'at-revision', group: 'networking.istio.io', kind: 'virtualservices' },
    })
  })

  it('holds to the uid that the applied object names: 409 when there is none, 422 when it is another', async () => {
    const parts = { metadata: { uid: 'another' }, spec: { hosts: ['web'] } }
    const absent = await apply('VirtualService', 'by-uid', 'red', parts)
    expect(absent.status).toBe(409)
    expect(absent.body.message).toBe(
      'Operation cannot be fulfilled on virtualservices.networking.istio.io "by-uid": uid mismatch: the provided object ' +
        'specified uid another, and no existing object was found',
    )
    await apply('VirtualService', 'by-uid', 'red', { spec: { hosts: ['web'] } })
    const other = await apply('VirtualService', 'by-uid', 'red', parts)
    expect(other.status).toBe(422)
    expect(other.body.details.causes[0]).toEqual({
      reason: 'FieldValueInvalid',
      message: 'Invalid value: "another": field is immutable',
      field: 'metadata.uid',
    })
  })

  it('finds a changed revision before another uid, so that an object made anew is a conflict', async () => {
    const first = await apply('VirtualService', 'made-anew', 'red', { spec: { hosts: ['web'] } })
    const { uid, resourceVersion } = first.body.metadata
    await send(ask(), `${at('VirtualService')}/made-anew`, { method: 'DELETE' })
    await apply('VirtualService', 'made-anew', 'red', { spec: { hosts: ['web'] } })
    const parts = { metadata: { uid, resourceVersion }, spec: { hosts: ['web'] } }
    expect((await apply('VirtualService', 'made-anew', 'red', parts, '&force=true')).status).toBe(409)
  })

  it('creates at any revision that the applied object names', async () => {
    const parts = { metadata: { resourceVersion: '1' }, spec: { hosts: ['web'] } }
    const { status } = await apply('VirtualService', 'from-nothing', 'red', parts)
    expect(status).toBe(201)
  })

  it('applies the status apart from the object', async () => {
    await apply('VirtualService', 'with-status', 'red', { spec: { hosts: ['web'] } })
    const path = `${at('VirtualService')}/with-status/status?fieldManager=controller`
    const object = objectOf('VirtualService', 'with-status', { status: { seen: { by: 'x' } }, spec: { hosts: ['no'] } })
    const { status, body } = await sendJson(ask(), 'PATCH', path, object, applyType)
    expect(status).toBe(200)
    expect(body).toMatchObject({ spec: { hosts: ['web'] }, status: { seen: { by: 'x' } } })
    const entry = body.metadata.managedFields.find((found) => found.manager === 'controller')
    expect(entry).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:seen': { '.': {}, 'f:by': {} } } },
    })
    const elsewhere = `${at('VirtualService')}/nowhere/status?fieldManager=controller`
    const nowhere = objectOf('VirtualService', 'nowhere', { status: {} })
    expect((await sendJson(ask(), 'PATCH', elsewhere, nowhere, applyType)).status).toBe(404)
  })
}
