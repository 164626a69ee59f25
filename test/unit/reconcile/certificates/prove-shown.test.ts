import { beforeEach, describe, expect, it } from 'vitest'
import { CertificateWorld } from './certificate-world.ts'

let world: CertificateWorld
beforeEach(() => {
  world = new CertificateWorld()
})

const GATEWAY = '20.1.2.3:443'

/** Passes, as the delivery asks for them, until none is due or `limit` were made. */
async function settle(limit: number): Promise<number> {
  let passes = 0
  await world.deliver()
  for (; world.delivery.dueAt !== undefined && passes < limit; passes += 1) {
    world.later(Math.max(0, Date.parse(world.delivery.dueAt) - 30_000 - world.clock.now()))
    await world.deliver()
  }
  return passes
}

describe('the proof at the gateway', () => {
  it('is one handshake by the first name that is no wildcard, at the load balancer of the gateway', async () => {
    const { serial } = await world.want()
    world.addGateway('20.1.2.3')
    world.addGateway('20.9.9.9', { app: 'something-else' })
    world.shown.set(GATEWAY, serial)
    await world.deliver()
    expect(world.looks).toEqual([`web.example.com at ${GATEWAY}`])
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'Shown', shownSerial: serial })
  })

  it('is made where the certificate says', async () => {
    const { serial } = await world.want()
    world.spec({ probe: { host: 'gateway.example.com', port: 8443 }, dnsNames: ['*.example.com'] })
    world.addGateway('20.1.2.3')
    world.shown.set('gateway.example.com:8443', serial)
    await world.deliver()
    expect(world.looks).toEqual(['www.example.com at gateway.example.com:8443'])
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'Shown' })
  })

  it('is not made of a certificate for workloads: what the Secret holds counts', async () => {
    const { serial } = await world.want()
    world.spec({ purpose: 'workload-tls' })
    world.addGateway('20.1.2.3')
    world.shown.set(GATEWAY, 'another')
    await world.deliver()
    expect(world.looks).toEqual([])
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'SecretHoldsIt', heldSerial: serial })
    expect(world.delivery.message).toContain('Workloads read it themselves')
  })

  it('is waited for while the gateway still shows the old one', async () => {
    const old = await world.want()
    world.addGateway('20.1.2.3')
    world.shown.set(GATEWAY, old.serial)
    await world.deliver()
    world.later(600_000)
    const { serial } = await world.want()
    await world.deliver()
    expect(world.delivery).toMatchObject({
      state: 'waiting',
      reason: 'Proving',
      heldSerial: serial,
      shownSerial: old.serial,
    })
    expect(world.delivery.deliveredAt).toBeUndefined()
    expect(world.work()).toEqual(['lifecycle rotate', 'work deliver'])
    world.later(3000)
    await world.deliver()
    expect(world.delivery.state).toBe('waiting')
    world.shown.set(GATEWAY, serial)
    world.later(3000)
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).toEqual(['get Namespace', 'get Secret', 'list Service'])
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'Shown', shownSerial: serial })
    expect(world.delivery.deliveredAt).toBe(new Date(world.clock.now()).toISOString())
    expect(world.events()).toEqual(['certificate.delivered'])
  })

  it('that does not come within minutes is told once, and looked for less often', async () => {
    await world.want()
    world.addGateway('20.1.2.3')
    world.shown.set(GATEWAY, 'beef')
    const passes = await settle(64)
    expect(world.clock.now() - Date.parse(world.delivery.writtenAt ?? '')).toBeGreaterThan(180_000)
    expect(passes).toBe(64)
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'NotShownYet', shownSerial: 'beef' })
    expect(world.delivery.message).toContain('probe')
    world.later(0)
    await world.deliver()
    expect(world.events()).toEqual([])
  })

  it('needs every load balancer of the gateways that answers', async () => {
    const { serial } = await world.want()
    world.addGateway('20.1.2.3')
    world.addGateway('10.1.2.3', { 'gateway.networking.k8s.io/gateway-name': 'web' })
    world.addGateway('10.1.2.4')
    world.shown.set(GATEWAY, serial).set('10.1.2.3:443', 'beef')
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', shownSerial: 'beef' })
    world.shown.delete('10.1.2.3:443')
    world.later(3000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'Shown' })
  })

  it('gives a gateway that answered before some time to answer again, then the Secret alone counts', async () => {
    const old = await world.want()
    world.addGateway('20.1.2.3')
    world.shown.set(GATEWAY, old.serial)
    await world.deliver()
    world.shown.delete(GATEWAY)
    world.later(1000)
    await world.want()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'GatewayUnreachable' })
    await settle(70)
    expect(world.delivery).toMatchObject({ state: 'delivered', reason: 'SecretHoldsIt' })
    expect(world.delivery.shownSerial).toBeUndefined()
    expect(world.delivery.dueAt).toBeUndefined()
  })
})
