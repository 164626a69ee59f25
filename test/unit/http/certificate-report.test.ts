import { beforeEach, describe, expect, it } from 'vitest'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import type { FoundDocument } from '../../../src/model/documents.ts'
import { timestamp } from '../../../src/model/names.ts'
import { aCertificate } from '../fakes/documents.ts'
import { meshFacts } from '../watch/world.ts'
import { clusterDocument, START, shopWorld, type World } from './fixture.ts'

const PATH = '/api/v1/certificate-report'
const DAY = 86_400_000
const AT = timestamp(START)

let world: World
beforeEach(() => {
  world = shopWorld()
  world.store.put(clusterDocument('east', { mesh: { provider: 'istio' } }))
  world.store.put(clusterDocument('west', { mesh: { provider: 'istio' }, aks: meshFacts(false) }))
})

function found(change: Partial<FoundDocument>): FoundDocument {
  const base = { schema: 1, kind: 'found', outbox: [], createdAt: AT, updatedAt: AT } as const
  const nothing = { certificates: [], left: 0, unreadable: 0, warned: {}, attempts: 0 } as const
  const seen = { state: 'seen', reason: 'Read', message: 'Read.', lookedAt: AT } as const
  return { ...base, place: 'cluster', name: 'west', ...seen, ...nothing, ...change }
}

function aRoot(fingerprint: string, days: number, namespaces = 3) {
  const ends = { notBefore: AT, notAfter: timestamp(START + days * DAY) }
  const facts = { subject: 'O=cluster.local', serial: fingerprint.slice(0, 4), fingerprint, ...ends }
  return {
    kind: 'mesh-root',
    object: 'ConfigMap istio-ca-root-cert',
    ...facts,
    namespaces,
    examples: ['shop'],
  } as const
}

const report = async (query = '') => (await world.call('GET', `${PATH}${query}`)).json
const gapsOf = (json: { gaps: readonly { place: string; reason: string }[] }) =>
  json.gaps.map(({ place, reason }) => `${place} ${reason}`).sort()

describe('the report of everything that ends', () => {
  it('tells of a root that nobody registered: where, until when, who renews it, and how long leaves last', async () => {
    world.store.put(found({ certificates: [aRoot('ab12', 100)] }))
    const { value } = await report('?cluster=west')
    expect(value).toEqual([
      {
        id: 'ab12',
        kind: 'mesh-root',
        subject: 'O=cluster.local',
        serial: 'ab12',
        fingerprint: 'ab12',
        notBefore: AT,
        notAfter: timestamp(START + 100 * DAY),
        daysLeft: 100,
        registeredAs: null,
        renewedBy: 'istiod',
        clusters: ['west'],
        namespaces: 3,
        places: [
          {
            where: 'bundle',
            object: 'ConfigMap istio-ca-root-cert',
            cluster: 'west',
            namespaces: 3,
            examples: ['shop'],
            lookedAt: AT,
            workloadTtl: { value: '24h', assumed: true },
          },
        ],
      },
    ])
  })

  it('lays what was found at several places together, and says what it is registered as', async () => {
    const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' }, workloadTtl: '12h' }
    await world.call('PUT', '/api/v1/certificates/east-ca', { body })
    await advanceCa(world.deps, 'east-ca')
    const [held] = world.store.get('mesh-ca', 'east-ca').current?.roots ?? []
    if (!held) throw new Error('no root')
    const seen = { ...aRoot(held.fingerprint, 1), ...held }
    world.store.put(found({ name: 'east', certificates: [seen] }))
    world.store.put(found({ certificates: [seen] }))
    const { value } = await report()
    expect(value.map(({ kind }: { kind: string }) => kind)).toEqual(['mesh-signer', 'mesh-root'])
    expect(value[1]).toMatchObject({
      ...{ registeredAs: 'east-ca', renewedBy: 'meshwright', clusters: ['east', 'west'], namespaces: 6 },
      places: [
        { where: 'vault', vault: 'shop', object: 'secret root-cert', cluster: 'east' },
        { where: 'bundle', cluster: 'east', workloadTtl: { value: '12h', assumed: false } },
        { where: 'bundle', cluster: 'west', workloadTtl: { value: '24h', assumed: true } },
      ],
    })
    expect(JSON.stringify(value)).not.toContain('PRIVATE')
  })

  it('tells of the version in the vault and of an older one that a cluster still holds', async () => {
    const version = (serial: string, days: number) => ({
      ...{ version: `v-${serial}`, serial, fingerprint: `f-${serial}`, dnsNames: ['web.example.com'], issuer: 'CN=x' },
      ...{ notBefore: AT, notAfter: timestamp(START + days * DAY) },
    })
    const old = version('a1', 5)
    const rotation = {
      ...{
        id: 'r',
        phase: 'succeeded',
        reason: 'Delivered',
        message: 'm',
        actor: { kind: 'schedule', id: 's', name: 's' },
      },
      ...{ candidate: old, released: [], policy: '', startedAt: AT, phaseSince: AT, attempts: 0 },
    }
    const current = version('b2', 80)
    world.store.put(aCertificate({ current, history: [rotation as never], clusters: ['east', 'west'] }))
    const delivery = (cluster: string, heldSerial: string) => ({
      ...({ schema: 1, kind: 'delivery', outbox: [], createdAt: AT, updatedAt: AT } as const),
      ...({ certificate: 'web-tls', cluster, state: 'delivered', reason: 'Shown', message: 'm', heldSerial } as const),
      ...{ objects: [], attempts: 0 },
    })
    world.store.put(delivery('east', 'b2'))
    world.store.put(delivery('west', 'a1'))
    const { value } = await report()
    expect(value).toMatchObject([
      {
        serial: 'a1',
        daysLeft: 5,
        clusters: ['west'],
        places: [{ where: 'cluster', object: 'Secret ingress/web-tls' }],
      },
      { serial: 'b2', renewedBy: 'hand', registeredAs: 'web-tls', places: [{ where: 'vault' }, { cluster: 'east' }] },
    ])
    world.store.put(delivery('west', 'c3'))
    expect(gapsOf(await report())).toContain('certificates/web-tls UnknownSerial')
  })

  it('says what could not be read: never looked at, refused, dark, or gone from the vault', async () => {
    world.store.put(clusterDocument('north', { mesh: { provider: 'istio' }, aks: meshFacts(true) }))
    world.store.put(found({ state: 'failed', reason: 'Denied', message: 'may not', certificates: [aRoot('cd', 9)] }))
    world.store.put(found({ place: 'vault', name: 'corp', state: 'failed', reason: 'VaultDenied' }))
    world.store.put(found({ name: 'east', unreadable: 2, left: 7 }))
    world.store.put(found({ name: 'removed', certificates: [aRoot('ee', 9)] }))
    const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' } }
    await world.call('PUT', '/api/v1/certificates/east-ca', { body })
    const json = await report()
    expect(gapsOf(json)).toEqual([
      'certificates/east-ca NeverLooked',
      'clusters/east TooMany',
      'clusters/east Unreadable',
      'clusters/north NeverLooked',
      'clusters/west Denied',
      'plug-in-cas/north NeverLooked',
      'vaults/corp VaultDenied',
    ])
    // What was seen before a look failed is told all the same, with the time of then.
    expect(json.value.map(({ id }: { id: string }) => id)).toEqual(['cd'])
    expect(gapsOf(await report('?cluster=west'))).toEqual(['clusters/west Denied'])
  })

  it('comes in pages, what ends first first, and only what ends within a time where that is asked', async () => {
    const ends = [40, 10, 30, 20, 10]
    world.store.put(found({ certificates: ends.map((days, index) => aRoot(`f${index}`, days)) }))
    const ids = (json: { value: readonly { id: string }[] }) => json.value.map(({ id }) => id)
    const all = ['f1', 'f4', 'f3', 'f2', 'f0']
    const got: string[] = []
    let link: string | undefined = `${PATH}?limit=2`
    for (let page = 0; link !== undefined && page < 9; page += 1) {
      const { json } = await world.call('GET', link.replace('https://mesh.example', ''))
      expect(json.value.length).toBeLessThanOrEqual(2)
      got.push(...ids(json))
      link = json.nextLink
    }
    expect(got).toEqual(all)
    expect(ids(await report('?expiresWithin=25d'))).toEqual(['f1', 'f4', 'f3'])
    expect(ids(await report('?cluster=east'))).toEqual([])
    expect((await world.call('GET', `${PATH}?after=!`)).status).toBe(400)
    expect((await world.call('GET', `${PATH}?expiresWithin=soon`)).status).toBe(400)
    expect((await world.call('GET', PATH, { roles: ['Mesh.Viewer'] })).status).toBe(200)
    expect((await world.call('GET', PATH, { token: null })).status).toBe(401)
  })
})
