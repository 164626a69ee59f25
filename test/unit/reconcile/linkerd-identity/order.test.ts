import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { hash, IdentityWorld, NAMESPACE, SECRET, testAuthorities } from './identity-world.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const { a, b, issuerA, issuerB, both } = await testAuthorities()
let world: IdentityWorld

beforeEach(() => {
  world = new IdentityWorld()
})

describe('the order of a rotation of the root', () => {
  it('is A and B, then the issuer of B, then B: one object changes at a time', async () => {
    await world.established(issuerA)
    world.meshed('shop', 'web', hash(both))
    await world.want(both, issuerA)
    await world.look()
    expect(world.live).toEqual({ anchors: both, crt: issuerA.caCert, key: issuerA.caKey, ca: both })
    await world.want(both, issuerB)
    await world.look()
    expect(world.live).toEqual({ anchors: both, crt: issuerB.caCert, key: issuerB.caKey, ca: both })
    world.later(2 * DAY_MS)
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: b.pem, crt: issuerB.caCert })
    expect(world.trust).toMatchObject({ state: 'seen', delivered: { revision: 104, anchors: hash(b.pem) } })
  })

  it('never shows an issuer that stands on none of the anchors, whichever request was lost', async () => {
    const steps = [
      [a.pem, issuerA],
      [both, issuerA],
      [both, issuerB],
      [b.pem, issuerB],
    ] as const
    world.meshed('shop', 'web', hash(both))
    for (const [anchors, issuer] of steps) {
      await world.want(anchors, issuer)
      for (const lost of ['ConfigMap', 'Secret', 'none']) {
        world.cluster.afterWrite = (request) => {
          const { anchors: held = '', crt } = world.live
          const root = crt === issuerB.caCert ? b : a
          if (crt !== undefined) expect(held).toContain(root.pem)
          if (request.endsWith(lost)) throw new PortError('unavailable', 'Kubernetes', 'no answer')
        }
        await world.look()
        world.later(MINUTE_MS)
      }
      expect(world.live).toMatchObject({ anchors, crt: issuer.caCert, key: issuer.caKey })
      expect(world.trust).toMatchObject({ state: 'seen', delivered: { anchors: hash(anchors) } })
      world.later(2 * DAY_MS)
    }
  })

  it('goes on with the issuer alone after a crash between the two writes', async () => {
    await world.want(a.pem, issuerA)
    world.cluster.before = (request) => {
      if (request === 'apply Secret') throw new Error('killed')
    }
    await expect(world.look()).rejects.toThrow('killed')
    expect(world.live).toEqual({ anchors: a.pem })
    world.cluster.before = () => undefined
    world.cluster.forget()
    await world.look()
    expect(world.writes()).toEqual(['apply Secret'])
    expect(world.trust).toMatchObject({ state: 'seen', delivered: { revision: 101 } })
  })

  it('refuses what has no safe order, and says so', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'tls')
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'NoSafeOrder' })
    expect(world.trust.delivered).toBeUndefined()
    expect(world.told()).toEqual(['certificate.delivery-held'])
  })

  it('refuses an issuer that stands on none of the anchors that are to be there', async () => {
    await world.established(issuerA)
    await world.want(a.pem, issuerB)
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'IssuerNotTrusted' })
  })

  it('holds an issuer of the next anchor while a Pod started with others, and goes on when it was restarted', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'tls')
    world.meshed('shop', 'web', hash(a.pem))
    await world.want(both, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerA.caCert })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'PodsLackAnchor', anchors: { [hash(a.pem)]: 1 } })
    expect(world.trust.message).toContain('shop/web')
    world.later(MINUTE_MS)
    world.meshed('shop', 'web', hash(both))
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerB.caCert })
    expect(world.trust.state).toBe('seen')
  })

  it('takes an anchor away after the issuer that changed with it, once every Pod was restarted since', async () => {
    world.configMap(both)
    world.secret(issuerA, 'tls')
    world.meshed('shop', 'web', hash(both), DAY_MS)
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerB.caCert })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'AnchorInUse' })
    const written = new Date(world.clock.now()).toISOString()
    world.clock.at += 60 * MINUTE_MS
    world.meshed('shop', 'web', hash(both), 1000)
    // The fake forgets who wrote: as the server tells it.
    const live = world.cluster.objects.get(`v1/Secret/${NAMESPACE}/${SECRET}`)
    if (live) Object.assign(live.metadata, { managedFields: [{ manager: 'meshwright', time: written }] })
    await world.look()
    expect(world.live).toMatchObject({ anchors: b.pem, crt: issuerB.caCert })
    expect(world.trust.state).toBe('seen')
  })
})
