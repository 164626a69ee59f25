import { beforeEach, describe, expect, it } from 'vitest'
import { fingerprint, hash, IdentityWorld, SECRET, testAuthorities } from './identity-world.ts'

const { a, issuerA, nextA, both } = await testAuthorities()
let world: IdentityWorld

beforeEach(() => {
  world = new IdentityWorld()
})

describe('what a CA brings to Linkerd', () => {
  it('is nothing while the state machine wants nothing there; what lies there is told', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'linkerd')
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'seen', found: { anchors: a.pem, issuer: issuerA.caCert } })
    expect(world.trust.delivered).toBeUndefined()
  })

  it('are anchors and issuer in a cluster that has none yet, anchors first', async () => {
    await world.want(a.pem, issuerA)
    await world.look()
    expect(world.writes()).toEqual(['apply ConfigMap', 'apply Secret'])
    expect(world.live).toEqual({ anchors: a.pem, crt: issuerA.caCert, key: issuerA.caKey, ca: a.pem })
    expect(world.cluster.peek('Secret', SECRET)).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        annotations: { 'meshwright.io/certificate': 'east-ca', 'meshwright.io/revision': '101' },
      },
    })
    expect(world.trust.delivered).toEqual({
      revision: 101,
      anchors: hash(a.pem),
      issuer: fingerprint(issuerA.caCert),
      at: '2026-05-01T10:00:00.000Z',
      anchorsAt: '2026-05-01T10:00:00.000Z',
    })
    expect(world.told()).toEqual(['certificate.delivered'])
  })

  it.each(['tls', 'linkerd'] as const)('keeps the form of the Secret that is there: %s', async (form) => {
    await world.established(issuerA, form)
    await world.want(a.pem, nextA)
    await world.look()
    const names = form === 'tls' ? ['ca.crt', 'tls.crt', 'tls.key'] : ['crt.pem', 'key.pem']
    const secret = world.cluster.peek('Secret', SECRET)
    expect(Object.keys(secret?.data as object).sort()).toEqual(names)
    expect(secret?.type).toBe(form === 'tls' ? 'kubernetes.io/tls' : 'Opaque')
    expect(world.live).toMatchObject({ crt: nextA.caCert, key: nextA.caKey })
  })

  it('is written once: what is there needs neither a write nor the key from the vault', async () => {
    await world.established(issuerA)
    const read = world.secrets.calls.filter((call) => call.startsWith('read')).length
    const { at } = world.trust.delivered ?? {}
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.secrets.calls.filter((call) => call.startsWith('read'))).toHaveLength(read)
    expect(world.trust.delivered?.at).toBe(at)
  })

  it('tells when the anchors came apart from the issuer, and from a revision: only anchors ask for restarts', async () => {
    await world.established(issuerA)
    const came = world.trust.delivered?.anchorsAt
    const times = async (change: () => unknown) => {
      await change()
      await world.look()
      const { at, anchorsAt } = world.trust.delivered ?? {}
      const now = world.clock.now()
      world.later(60_000)
      return [Date.parse(at ?? '') === now, anchorsAt === came]
    }
    expect(await times(() => undefined)).toEqual([false, true])
    expect(await times(() => world.want(a.pem, nextA))).toEqual([true, true])
    expect(await times(() => world.want(a.pem, nextA))).toEqual([true, true])
    // Of another hand: the Secret, then the ConfigMap.
    expect(await times(() => world.secret(issuerA, 'tls'))).toEqual([true, true])
    expect(await times(() => world.configMap(`${a.pem}\n`))).toEqual([true, false])
    const again = world.trust.delivered?.anchorsAt
    await world.want(both, nextA)
    await world.look()
    expect(world.trust.delivered?.anchorsAt).not.toBe(again)
    expect(world.trust.delivered?.anchorsAt).toBe(world.trust.delivered?.at)
  })

  it('takes a document without the time of the anchors to tell it in the time of all', async () => {
    await world.established(issuerA)
    const { anchorsAt: _anchorsAt, ...former } = world.trust.delivered ?? { at: '' }
    world.store.put({ ...world.trust, delivered: former as never })
    await world.want(a.pem, nextA)
    await world.look()
    expect(world.trust.delivered?.anchorsAt).toBe(former.at)
  })

  it('are the anchors alone while the mesh is taken over: its issuer stays as it is, unmarked', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'linkerd')
    const before = world.cluster.peek('Secret', SECRET)
    world.wantAnchors(both)
    await world.look()
    expect(world.writes()).toEqual(['apply ConfigMap'])
    expect(world.live.anchors).toBe(both)
    expect(world.cluster.peek('Secret', SECRET)).toEqual(before)
    expect(world.trust.delivered).toMatchObject({ anchors: hash(both), issuer: fingerprint(issuerA.caCert) })
  })

  it('is left as it is when the CA is deleted', async () => {
    await world.established(issuerA)
    world.ca({ deletingAt: '2026-05-01T11:00:00.000Z' })
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.live).toMatchObject({ anchors: a.pem, crt: issuerA.caCert })
  })
})
