import { beforeEach, describe, expect, it } from 'vitest'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import { clusterDocument, shopWorld, type World } from './fixture.ts'

const PATH = '/api/v1/certificates/east-ca'
const BODY = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' }, intermediate: { key: 'P-256' } }
const TLS = {
  purpose: 'gateway-tls',
  dnsNames: ['web.example.com'],
  clusters: ['east'],
  secret: { namespace: 'shop', name: 'web-tls' },
  issuer: { kind: 'self' },
}

let world: World
beforeEach(() => {
  world = shopWorld()
  world.store.put(clusterDocument('west'))
})

const advance = () => advanceCa(world.deps, 'east-ca')

async function registered(): Promise<void> {
  await world.call('PUT', PATH, { body: BODY })
  await advance()
}

describe('the CA of a mesh', () => {
  it('is registered, made, shown, changed and let go; no answer holds a key', async () => {
    world.clock.onSleep = async () => void (await advance())
    const created = await world.call('PUT', `${PATH}?wait=60s`, { body: BODY })
    expect(created).toMatchObject({
      status: 201,
      json: { name: 'east-ca', phase: 'succeeded', observedGeneration: 1, renews: 'intermediate' },
    })
    expect(created.json.serial).toBe(created.json.current.signer.serial)
    expect(created.json.current.roots).toHaveLength(1)
    const shown = await world.call('GET', PATH)
    expect((await world.call('PUT', PATH, { body: shown.json })).json.generation).toBe(1)
    expect((await world.call('PATCH', PATH, { body: { workloadTtl: '12h' } })).json).toMatchObject({
      workloadTtl: '12h',
      generation: 2,
    })
    const list = await world.call('GET', '/api/v1/certificates')
    expect(list.json.value).toMatchObject([{ name: 'east-ca', purpose: 'mesh-ca' }])
    expect((await world.call('GET', '/api/v1/certificates?expiresWithin=30d')).json.value).toEqual([])
    expect((await world.call('GET', '/api/v1/operations/certificate.east-ca.1')).json.status).toBe('Succeeded')
    expect(JSON.stringify([created.json, shown.json, list.json])).not.toContain('PRIVATE')
    expect((await world.call('DELETE', '/api/v1/clusters/east')).json).toMatchObject({ code: 'InUse' })
    expect((await world.call('DELETE', PATH)).status).toBe(204)
    expect((await world.call('GET', PATH)).status).toBe(404)
  })

  it('is listed with certificates, in the order of names, page by page', async () => {
    await registered()
    for (const name of ['a-tls', 'web-tls']) {
      const secret = { namespace: 'shop', name }
      await world.call('PUT', `/api/v1/certificates/${name}`, { body: { ...TLS, secret } })
    }
    const first = await world.call('GET', '/api/v1/certificates?limit=2')
    expect(first.json.value.map(({ name }: { name: string }) => name)).toEqual(['a-tls', 'east-ca'])
    const next = await world.call('GET', first.json.nextLink.slice(first.json.nextLink.indexOf('/api')))
    expect(next.json.value.map(({ name }: { name: string }) => name)).toEqual(['web-tls'])
    expect(next.json.nextLink).toBeUndefined()
  })

  it('has a name that no certificate has, and the other way round', async () => {
    await registered()
    expect((await world.call('PUT', PATH, { body: TLS })).json).toMatchObject({
      status: 409,
      code: 'Conflict',
      errors: [{ pointer: '/purpose' }],
    })
    const tls = '/api/v1/certificates/web-tls'
    await world.call('PUT', tls, { body: TLS })
    expect((await world.call('PUT', tls, { body: { ...BODY, cluster: 'west' } })).json).toMatchObject({
      code: 'Conflict',
      errors: [{ pointer: '/purpose' }],
    })
  })

  it('takes one of two that come at once for a name', async () => {
    const [one, other] = await Promise.all([
      world.call('PUT', PATH, { body: BODY }),
      world.call('PUT', PATH, { body: TLS }),
    ])
    expect([one.status, other.status].sort()).toEqual([201, 409])
  })

  it('is rotated: what has to be said, 202 with an operation, the same for the same, something else has to wait', async () => {
    await registered()
    world.clock.time += 1000
    expect((await world.call('POST', `${PATH}/rotate`)).json).toMatchObject({
      status: 422,
      errors: [{ pointer: '/what' }],
    })
    const rotated = await world.call('POST', `${PATH}/rotate`, { body: { what: 'root', reason: 'drill' } })
    expect(rotated).toMatchObject({
      status: 202,
      json: { rotation: { what: 'root', phase: 'requested', direction: 'on' } },
    })
    const operation = rotated.headers['operation-location']?.split('/').at(-1)
    expect((await world.call('GET', `/api/v1/operations/${operation}`)).json.status).toBe('NotStarted')
    const again = await world.call('POST', `${PATH}/rotate`, { body: { what: 'root' } })
    expect(again.json.rotation.id).toBe(rotated.json.rotation.id)
    expect((await world.call('POST', `${PATH}/rotate`, { body: { what: 'intermediate' } })).status).toBe(409)
    await advance()
    expect((await world.call('DELETE', PATH)).json).toMatchObject({ code: 'Conflict' })
    expect((await world.call('PATCH', PATH, { body: { workloadTtl: '1h' } })).json).toMatchObject({
      errors: [{ pointer: '/workloadTtl' }],
    })
    expect(
      (await world.call('POST', `${PATH}/pause`, { body: { reason: 'release' } })).json.rotation.paused,
    ).toMatchObject({ reason: 'release' })
    expect((await world.call('POST', `${PATH}/resume`)).json.rotation.paused).toBeUndefined()
    const aborted = await world.call('POST', `${PATH}/abort`)
    expect(aborted).toMatchObject({ status: 202, json: { rotation: { phase: 'narrowing', direction: 'back' } } })
    await world.store.relayAll()
    const audit = await world.call('GET', '/api/v1/audit?subject=certificates/east-ca')
    const actions = audit.json.value.map(({ action }: { action: string }) => action)
    expect(actions).toEqual([
      'mesh-ca.put',
      'certificate.rotate',
      'certificate.pause',
      'certificate.resume',
      'certificate.abort',
    ])
  })

  it('with a key of its own, a request that comes again starts no second rotation', async () => {
    await registered()
    const headers = { 'idempotency-key': 'k1' }
    const first = await world.call('POST', `${PATH}/rotate`, { headers, body: { what: 'intermediate' } })
    await world.call('POST', `${PATH}/abort`)
    const again = await world.call('POST', `${PATH}/rotate`, { headers, body: { what: 'intermediate' } })
    expect(again.json.rotation).toMatchObject({ id: first.json.rotation.id, phase: 'aborted' })
  })

  it('of a mesh that signs with a CA of its own is watched, and not rotated', async () => {
    world.store.change('cluster', 'east', (east) => ({
      ...east,
      aks: {
        provisioningState: 'Succeeded',
        location: 'westeurope',
        isPrivate: false,
        entra: { enabled: true, azureRbac: true, localAccountsDisabled: true },
        mesh: { revisions: ['asm-1-27'], ingressGateways: [], egressGateways: [] },
        azureMonitorMetrics: false,
      },
    }))
    const put = await world.call('PUT', PATH, { body: BODY })
    expect(put.json.warnings[0]).toContain('only watched')
    await advance()
    expect(world.store.get('mesh-ca', 'east-ca').rotation).toBeUndefined()
    expect((await world.call('POST', `${PATH}/rotate`, { body: { what: 'root' } })).json).toMatchObject({
      status: 422,
      code: 'UnsupportedFeature',
    })
  })

  it.each([
    [{ ...BODY, cluster: 'nowhere' }, 422, '/cluster'],
    [{ ...BODY, vault: 'https://evil.example' }, 422, '/vault'],
    [{ ...BODY, secrets: { rootCert: 'a', caCert: 'a', certChain: 'c', caKey: 'd' } }, 422, '/secrets'],
    [{ ...BODY, windows: [{ cron: '0 2 * * *', for: '1h', timeZone: 'Mars/X' }] }, 422, '/windows/0/timeZone'],
    [{ ...BODY, root: { kind: 'other' } }, 400, undefined],
    [{ ...BODY, dnsNames: ['x.example'] }, 400, '/dnsNames'],
    [{ ...BODY, namespace: 'linkerd' }, 400, '/namespace'],
  ])('refuses %j', async (body, status, pointer) => {
    const { refused } = world.deps.vaults as unknown as { refused: Set<string> }
    refused.add('https://evil.example')
    const answer = await world.call('PUT', PATH, { body })
    expect(answer.status).toBe(status)
    if (pointer) expect(answer.json.errors[0].pointer).toBe(pointer)
  })

  it('is one a cluster, and others have no rotation to hold', async () => {
    await registered()
    expect((await world.call('PUT', '/api/v1/certificates/other-ca', { body: BODY })).json).toMatchObject({
      errors: [{ pointer: '/cluster' }],
    })
    const twin = await world.call('PUT', '/api/v1/certificates/other-ca', { body: { ...BODY, cluster: 'west' } })
    expect(twin.json).toMatchObject({ errors: [{ pointer: '/secrets' }] })
    await world.call('PUT', '/api/v1/certificates/web-tls', { body: TLS })
    expect((await world.call('POST', '/api/v1/certificates/web-tls/pause')).status).toBe(409)
    expect(
      (await world.call('POST', '/api/v1/certificates/web-tls/rotate', { body: { what: 'root' } })).json,
    ).toMatchObject({ errors: [{ pointer: '/what' }] })
    expect((await world.call('POST', '/api/v1/certificates/none/abort')).status).toBe(404)
  })
})
