import { beforeEach, describe, expect, it } from 'vitest'
import { advanceCertificate } from '../../../src/certificates/advance-certificate.ts'
import { clusterDocument, EVENT_GRID_KEY, START, shopWorld, type World } from './fixture.ts'

const PATH = '/api/v1/certificates/web-tls'
const BODY = {
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

const vault = () =>
  world.deps.vaults.open('https://shop.vault.azure.net') as unknown as {
    complete(name: string): Promise<unknown>
    signCsr(csr: string): Promise<string>
  }
const advance = () => advanceCertificate(world.deps, 'web-tls')
/** What reconcile records once the cluster holds what is wanted. */
function deliver(): void {
  const { targets } = world.store.get('certificate', 'web-tls')
  for (const [cluster, written] of Object.entries(targets)) {
    const at = new Date(world.clock.now()).toISOString()
    const state = { state: 'delivered', reason: 'SecretHoldsIt', message: 'It holds it.', attempts: 0 } as const
    const common = { schema: 1, outbox: [], createdAt: at, updatedAt: at, deliveredAt: at } as const
    const objects = [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web-tls', uid: 'u' }]
    const held = { heldSerial: written.serial, written, objects }
    world.store.put({ ...common, kind: 'delivery', certificate: 'web-tls', cluster, ...state, ...held })
  }
}
async function work(): Promise<void> {
  if (!world.store.peek('certificate', 'web-tls')) return
  await advance()
  if (world.store.peek('certificate', 'web-tls')?.rotation?.phase === 'creating') await vault().complete('web-tls')
  if (world.store.peek('certificate', 'web-tls')) deliver()
}

describe('certificates', () => {
  it('are registered, shown, changed and removed', async () => {
    const created = await world.call('PUT', PATH, { body: BODY })
    expect(created).toMatchObject({
      status: 201,
      json: { name: 'web-tls', phase: 'requested', serial: null, notAfter: null, generation: 1, observedGeneration: 0 },
    })
    expect(created.headers['operation-location']).toBe('https://mesh.example/api/v1/operations/certificate.web-tls.1')
    expect(created.headers.location).toBe(`https://mesh.example${PATH}`)
    const changed = await world.call('PATCH', PATH, { body: { renewBefore: '720h' } })
    expect(changed.json).toMatchObject({ renewBefore: '720h', generation: 2 })
    expect((await world.call('PUT', PATH, { body: (await world.call('GET', PATH)).json })).status).toBe(200)
    expect((await world.call('GET', `${PATH}/deliveries`)).json.value).toMatchObject([
      { cluster: 'east', state: 'waiting', wanted: null },
    ])
    expect((await world.call('DELETE', PATH)).status).toBe(204)
    expect((await world.call('GET', PATH)).status).toBe(404)
  })

  it('are waited for until every cluster holds them', async () => {
    world.clock.onSleep = work
    const put = await world.call('PUT', `${PATH}?wait=60s`, { body: { ...BODY, clusters: ['east', 'west'] } })
    expect(put).toMatchObject({ status: 201, json: { phase: 'succeeded', observedGeneration: 1 } })
    expect(put.json.serial).toMatch(/^[1-9a-f][0-9a-f]*$/)
    expect(put.json.targets).toEqual({ east: put.json.serial, west: put.json.serial })
    expect((await world.call('GET', '/api/v1/operations/certificate.web-tls.1')).json.status).toBe('Succeeded')
    const held = (await world.call('GET', `${PATH}/deliveries`)).json.value
    expect(held).toMatchObject([
      { cluster: 'east', held: put.json.serial },
      { cluster: 'west', state: 'delivered' },
    ])
    expect(JSON.stringify([put.json, held])).not.toContain('PRIVATE')
  })

  it('are rotated: 202 with an operation, 200 once it is over, the same for the same key', async () => {
    world.clock.onSleep = work
    await world.call('PUT', `${PATH}?wait=60s`, { body: BODY })
    world.clock.onSleep = () => undefined
    const headers = { 'idempotency-key': 'one' }
    const first = await world.call('POST', `${PATH}/rotate`, { headers, roles: ['Mesh.Operator'] })
    expect(first).toMatchObject({ status: 202, json: { phase: 'requested' } })
    const operation = new URL(first.headers['operation-location'] ?? '').pathname
    expect((await world.call('GET', operation)).json).toMatchObject({ status: 'NotStarted', resource: PATH })
    world.clock.onSleep = work
    const over = await world.call('POST', `${PATH}/rotate?wait=60s`, { headers, roles: ['Mesh.Operator'] })
    expect(over).toMatchObject({ status: 200, json: { phase: 'succeeded', rotation: { id: first.json.rotation.id } } })
    expect((await world.call('GET', operation)).json.status).toBe('Succeeded')
    expect((await world.call('POST', `${PATH}/rotate`, { roles: ['Mesh.Deployer'] })).status).toBe(403)
  })

  it('of another CA wait for its chain', async () => {
    world.clock.onSleep = work
    const put = await world.call('PUT', `${PATH}?wait=60s`, { body: { ...BODY, issuer: { kind: 'external' } } })
    expect(put).toMatchObject({ status: 202, json: { phase: 'awaiting-issuer' } })
    const chain = await vault().signCsr(put.json.rotation.csr)
    const refused = await world.call('POST', `${PATH}/complete`, { body: { chain: 'none' } })
    expect(refused.json).toMatchObject({ status: 422, errors: [{ pointer: '/chain' }] })
    const done = await world.call('POST', `${PATH}/complete?wait=60s`, { body: { chain } })
    expect(done).toMatchObject({ status: 200, json: { phase: 'succeeded' } })
    expect(done.json.rotation).not.toHaveProperty('csr')
  })

  it('that end soon, or have no version, are listed apart', async () => {
    world.clock.onSleep = work
    await world.call('PUT', `${PATH}?wait=60s`, { body: BODY })
    await world.call('PUT', '/api/v1/certificates/none-yet', {
      body: { ...BODY, secret: { namespace: 'shop', name: 'other' } },
    })
    const names = async (query: string) =>
      (await world.call('GET', `/api/v1/certificates${query}`)).json.value.map(({ name }: { name: string }) => name)
    expect(await names('')).toEqual(['none-yet', 'web-tls'])
    expect(await names('?expiresWithin=30d')).toEqual(['none-yet'])
    expect(await names('?expiresWithin=100d')).toEqual(['none-yet', 'web-tls'])
    expect((await world.call('GET', '/api/v1/certificates?expiresWithin=soon')).status).toBe(400)
  })

  it('travel with export and import', async () => {
    await world.call('PUT', PATH, { body: BODY })
    const exported = (await world.call('GET', '/api/v1/export')).json
    expect(exported.certificates).toMatchObject([{ name: 'web-tls', dnsNames: ['web.example.com'] }])
    const report = await world.call('POST', '/api/v1/import', { body: exported })
    expect(report.json.value).toContainEqual({ kind: 'certificate', name: 'web-tls', result: 'unchanged' })
  })

  it('keep the cluster that they name', async () => {
    await world.call('PUT', PATH, { body: { ...BODY, clusters: ['west'] } })
    const refused = await world.call('DELETE', '/api/v1/clusters/west')
    expect(refused.json).toMatchObject({ code: 'InUse', detail: 'Cluster west is named by certificate web-tls.' })
  })
})

describe('the hook of Key Vault', () => {
  const send = (body: unknown, key: string | undefined = EVENT_GRID_KEY) =>
    world.call('POST', '/hooks/key-vault', {
      token: null,
      raw: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-meshwright-key': key }) },
    })
  const handshake = [
    { id: '1', eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: 'A-1' } },
  ]
  // As in the published sample: names in another case, a space too many.
  const changed = [
    {
      id: '2',
      topic: '/subscriptions/x',
      eventType: 'Microsoft.KeyVault.CertificateNewVersionCreated',
      data: { Id: 'x', vaultName: 'SHOP', ObjectType: 'Certificate', ObjectName: 'web-tls ', Version: 'v', NBF: START },
    },
    {
      id: '3',
      eventType: 'Microsoft.KeyVault.SecretNewVersionCreated',
      data: { VaultName: 'shop', ObjectName: 'web-tls' },
    },
    {
      id: '4',
      eventType: 'Microsoft.KeyVault.CertificateNearExpiry',
      data: { VaultName: 'shop', ObjectName: 'unknown' },
    },
  ]

  it('answers the handshake of a new subscription', async () => {
    expect((await send(handshake)).json).toEqual({ validationResponse: 'A-1' })
    // Event Grid does not say whether the handshake bears the subscription's headers: it gives nothing away.
    const headers = { 'content-type': 'application/json' }
    const bare = await world.call('POST', '/hooks/key-vault', { token: null, raw: JSON.stringify(handshake), headers })
    expect(bare.json).toEqual({ validationResponse: 'A-1' })
  })

  it('has the certificates looked at that events are about', async () => {
    await world.call('PUT', PATH, { body: BODY })
    expect(await send(changed)).toMatchObject({ status: 200, json: { queued: 1 } })
    expect(world.seen.queued).toEqual(['lifecycle {"kind":"rotate","certificate":"web-tls"}'])
  })

  it('has a mesh CA looked at, once, when any of its four secrets is new or ends, and no other', async () => {
    const secrets = { rootCert: 'e-root', caCert: 'e-cert', certChain: 'e-chain', caKey: 'e-key' }
    const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' }, secrets }
    await world.call('PUT', '/api/v1/certificates/east-ca', { body })
    world.seen.queued.length = 0
    const about = (type: string, name: string, vault = 'SHOP ') => ({
      id: `${type}${name}`,
      eventType: `Microsoft.KeyVault.${type}`,
      data: { VaultName: vault, ObjectType: 'Secret', ObjectName: name },
    })
    const types = ['SecretNewVersionCreated', 'SecretNearExpiry', 'SecretExpired']
    for (const [index, type] of types.entries()) {
      const name = ['E-Root', 'e-key', 'e-chain'][index] ?? ''
      expect((await send([about(type, name), about(type, 'e-cert')])).json).toEqual({ queued: 1 })
    }
    expect(world.seen.queued).toEqual(types.map(() => 'lifecycle {"kind":"rotate-ca","ca":"east-ca"}'))
    const others = [about('SecretExpired', 'e-root', 'other'), about('SecretExpired', 'root-cert')]
    const certificate = { ...about('x', 'e-root'), eventType: 'Microsoft.KeyVault.CertificateExpired' }
    expect((await send([...others, certificate])).json).toEqual({ queued: 0 })
  })

  it('lets nobody in without its key', async () => {
    for (const body of [changed, handshake, 'none']) expect((await send(body, 'wrong')).status).toBe(401)
    const unnamed = { token: null, raw: JSON.stringify(changed), headers: { 'content-type': 'application/json' } }
    expect((await world.call('POST', '/hooks/key-vault', unnamed)).status).toBe(401)
    expect(world.seen.queued).toEqual([])
    expect(world.seen.logged.join()).not.toContain(EVENT_GRID_KEY)
  })

  it.each([
    '',
    'none',
    '{}',
    '[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"<b>"}}]',
  ])('refuses what is no delivery: %s', async (body) => expect((await send(body)).status).toBe(400))

  it('takes events of other kinds and does nothing', async () => {
    expect((await send([null, 7, {}, { eventType: 'Other' }])).json).toEqual({ queued: 0 })
  })
})
