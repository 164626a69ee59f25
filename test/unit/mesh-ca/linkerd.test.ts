import { X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { completeCa } from '../../../src/mesh-ca/complete-ca.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { linkerdIntent } from '../../../src/model/linkerd-intent.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createLinkerdWorld, type LinkerdWorld, othersCa, SECRETS } from './linkerd-world.ts'
import { DAY, HOUR, MINUTE, OPERATOR } from './world.ts'

let world: LinkerdWorld
beforeEach(() => {
  world = createLinkerdWorld()
})

const unbroken = () => {
  expect(world.mesh.broken(world.now())).toBe(0)
}
const written = () => world.vault.calls.filter((call) => call.startsWith('set'))

describe('a Linkerd that others made', () => {
  it('is taken over with no failed request: A∥B on the cluster alone, then issuer of B, then B', async () => {
    const { anchors } = await world.found()
    await world.advance()
    expect(world.rotation()).toMatchObject({ what: 'root', phase: 'widening', reason: 'Written' })
    expect(written()).toEqual([])
    const wide = linkerdIntent(world.document())
    expect(wide?.anchors.startsWith(anchors)).toBe(true)
    expect(wide).not.toHaveProperty('issuer')
    await world.until('switching', unbroken)
    expect(world.mesh.anchors).toBe(wide?.anchors)
    await world.until(undefined, unbroken)
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
    expect(world.phases()).toEqual(
      ['preparing', 'widening', 'trusting', 'switching', 'renewing', 'narrowing'].map((phase) => `on ${phase}`),
    )
    const { current, anchors: alone } = world.document()
    expect(alone).toBeUndefined()
    expect(current?.roots).toHaveLength(1)
    expect(current?.rootCert).not.toContain(anchors)
    expect(world.mesh.anchors).toBe(current?.rootCert)
    const issuer = new X509Certificate(current?.caCert ?? '')
    expect(issuer.subjectAltName).toBe('DNS:identity.linkerd.cluster.local')
    expect(issuer.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(new X509Certificate(current?.rootCert ?? '').subject).toContain('CN=root.linkerd.cluster.local ')
    expect(world.vault.names().toSorted()).toEqual(Object.values(SECRETS).toSorted())
    expect(world.condition('Ready')).toMatchObject({ status: 'True' })
    const lasted = Date.parse(world.rotation()?.endedAt ?? '') - Date.parse(world.rotation()?.startedAt ?? '')
    expect(lasted / HOUR).toBeGreaterThan(24)
    expect(lasted / HOUR).toBeLessThan(30)
  })

  it('waits for restarts, tells people once of each, and goes no further without them', async () => {
    await world.found()
    for (let turn = 0; turn < 20; turn += 1) {
      world.live(6 * HOUR)
      world.see()
      await world.advance()
    }
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'WaitsForControlPlane' })
    world.mesh.restartControlPlane(world.now())
    world.see()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'trusting', reason: 'WaitsForRestarts' })
    expect(world.rotation()?.message).toContain('4 of 4 meshed Pods')
    for (let turn = 0; turn < 3; turn += 1) {
      world.live(HOUR)
      world.mesh.restartOne(world.now())
      world.see()
      await world.advance()
    }
    expect(world.rotation()).toMatchObject({ phase: 'trusting', reason: 'WaitsForRestarts' })
    expect(world.events().filter((one) => one.startsWith('held'))).toEqual([
      'held WaitsForControlPlane',
      'held WaitsForRestarts',
    ])
    expect(written()).toEqual([])
  })

  it('is not touched before it was seen, nor where its anchors or issuer cannot be read', async () => {
    await world.put()
    await world.advance()
    expect(world.rotation()).toBeUndefined()
    expect(world.condition('Issued')).toMatchObject({ status: 'False', reason: 'WaitsForLook' })
    const made = await othersCa()
    world.mesh.install(made.anchors, made.issuer, world.now())
    world.mesh.start(world.now())
    const seen = world.mesh.look(world.now())
    const { found: _found, ...gone } = seen
    for (const look of [gone, { ...seen, found: { anchors: 'none' } }, { ...seen, found: { anchors: made.anchors } }]) {
      world.store.put(look)
      await world.advance()
      expect(world.rotation()).toBeUndefined()
      expect(world.condition('Issued')).toMatchObject({ status: 'False', reason: 'FoundUnusable' })
    }
    expect(world.vault.calls.filter((call) => !call.startsWith('get'))).toEqual([])
    expect(linkerdIntent(world.document())).toBeUndefined()
  })

  it('goes back to exactly what it had from trusting, is let alone then, and taken over again when asked', async () => {
    const { anchors } = await world.found()
    await world.until('trusting', unbroken)
    world.live(HOUR)
    world.mesh.restartAll(world.now())
    expect((await world.act('abort')).ok).toBe(true)
    await world.until(undefined, unbroken)
    expect(world.rotation()).toMatchObject({ phase: 'aborted', reason: 'WentBack' })
    expect(world.mesh.anchors).toBe(anchors)
    expect(linkerdIntent(world.document())).toBeUndefined()
    for (let day = 0; day < 10; day += 1) {
      world.live(DAY)
      world.see()
      await world.advance()
    }
    expect(world.rotation()?.phase).toBe('aborted')
    expect(written()).toEqual([])
    expect(await rotateCa(world.deps, 'east-ca', { what: 'intermediate' }, OPERATOR)).toMatchObject({ ok: false })
    await world.rotate('root')
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
  })

  it('has no way back once the vault is asked for its issuer, for the key of the former one is not ours', async () => {
    await world.found()
    await world.until('renewing')
    const refused = await world.act('abort')
    expect(refused).toMatchObject({ ok: false, failure: { code: 'Conflict' } })
    expect(refused.ok ? '' : refused.failure.hint).toContain('Let it end')
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
  })

  it('stays wide while the vault refuses, and goes on when it does not', async () => {
    await world.found()
    await world.until('trusting')
    world.vault.interrupt = (call) => {
      if (call.startsWith('set'))
        throw new PortError('denied', 'Key Vault', 'no permission', { reason: 'ForbiddenByRbac' })
    }
    world.mesh.restartAll(world.now())
    for (let turn = 0; turn < 30; turn += 1) {
      world.live(10 * MINUTE)
      world.see()
      await world.advance()
      unbroken()
    }
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'ForbiddenByRbac' })
    world.vault.interrupt = () => undefined
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
  })

  it('of which the anchor ends is told of', async () => {
    const made = await othersCa(world.now(), 20 * DAY)
    world.mesh.install(made.anchors, made.issuer, world.now())
    await world.put()
    world.see()
    await world.advance()
    await world.advance()
    expect(world.events().filter((one) => one === 'near-expiry EndsSoon')).toHaveLength(2)
    expect(world.condition('NearExpiry')).toMatchObject({ status: 'True' })
  })
})

describe('a vault that holds a CA', () => {
  const fill = ({ anchors, issuer, key }: { anchors: string; issuer: string; key: string }) => {
    world.vault.put(SECRETS.rootCert, anchors)
    world.vault.put(SECRETS.caCert, issuer)
    world.vault.put(SECRETS.certChain, issuer)
    world.vault.put(SECRETS.caKey, key)
  }

  it('is taken as it is where the cluster has the same', async () => {
    const made = await othersCa()
    world.mesh.install(made.anchors, made.issuer, world.now())
    world.mesh.start(world.now())
    fill(made)
    await world.put()
    world.see()
    await world.advance()
    expect(world.rotation()).toBeUndefined()
    expect(linkerdIntent(world.document())).toMatchObject({ anchors: made.anchors, issuer: { certChain: made.issuer } })
  })

  it('is not brought over another that the cluster has', async () => {
    const made = await world.found()
    fill(await othersCa())
    await world.advance()
    expect(linkerdIntent(world.document())).toBeUndefined()
    expect(world.rotation()).toBeUndefined()
    expect(world.condition('Issued')).toMatchObject({ status: 'False', reason: 'AnchorsDiffer' })
    expect(world.mesh.anchors).toBe(made.anchors)
  })

  it('and is changed by another hand: the same anchors with another issuer are brought, others are not', async () => {
    await world.established()
    const { current, revision = 0 } = world.document()
    world.vault.put(SECRETS.caKey, world.vault.peek(SECRETS.caKey)?.value ?? '')
    await world.advance()
    expect(world.document().revision).toBe(revision + 1)
    fill(await othersCa())
    await world.advance()
    await world.advance()
    expect(world.document()).toMatchObject({ revision: revision + 1, current: { signer: current?.signer } })
    expect(world.condition('Issued')).toMatchObject({ status: 'False', reason: 'AnchorsDiffer' })
    expect(world.events().filter((one) => one === 'held AnchorsDiffer')).toHaveLength(1)
  })
})

describe('a cluster without Linkerd', () => {
  it('gets its first CA before it is installed', async () => {
    await world.put()
    world.see()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded', reason: 'Written' })
    expect(world.rotation()?.message).toContain('identity.externalCA=true')
    expect(linkerdIntent(world.document())?.issuer).toBeDefined()
  })
})

describe('a Linkerd that is ours', () => {
  it('gets a new issuer under the same anchor, without a restart', async () => {
    await world.established()
    const before = world.document().current
    await world.rotate('intermediate')
    world.restart = () => expect(world.rotation()?.reason).not.toMatch(/WaitsForRestarts|WaitsForControlPlane/)
    await world.until(undefined, unbroken)
    expect(world.rotation()).toMatchObject({ phase: 'succeeded', what: 'intermediate' })
    expect(world.document().current?.rootCert).toBe(before?.rootCert)
    expect(world.document().current?.signer.serial).not.toBe(before?.signer.serial)
    expect(world.condition('Renewed')).toMatchObject({ status: 'True' })
  })

  it('gets a new anchor, and its revision rises with everything that is wanted of the cluster', async () => {
    await world.established()
    const before = world.document()
    await world.rotate('root')
    await world.until(undefined, unbroken)
    expect(world.rotation()).toMatchObject({ phase: 'succeeded', what: 'root' })
    expect(world.document().revision).toBe((before.revision ?? 0) + 3)
    expect(world.document().current?.roots[0]?.fingerprint).not.toBe(before.current?.roots[0]?.fingerprint)
  })

  it('goes back from a new issuer to the former one', async () => {
    await world.established()
    const before = world.document().current
    await world.rotate('root')
    await world.until('renewing', unbroken)
    expect((await world.act('abort')).ok).toBe(true)
    await world.until(undefined, unbroken)
    expect(world.rotation()).toMatchObject({ phase: 'aborted' })
    expect(world.document().current).toMatchObject({ rootCert: before?.rootCert, signer: before?.signer })
    expect(world.mesh.anchors).toBe(before?.rootCert)
  })

  it('gets one issuer after the other under the same anchor, and asks nobody to restart anything', async () => {
    await world.established()
    world.restart = () => undefined
    for (const _ of [1, 2, 3]) {
      const before = world.document().current?.signer.serial
      await world.rotate('intermediate')
      await world.until(undefined, unbroken)
      expect(world.rotation()).toMatchObject({ phase: 'succeeded', what: 'intermediate' })
      expect(world.document().current?.signer.serial).not.toBe(before)
    }
    expect(world.events().filter((one) => one === 'held WaitsForControlPlane')).toHaveLength(2)
  })

  it('needs no restart on the way back to the former issuer, only to let the new anchor go', async () => {
    await world.established()
    await world.rotate('root')
    await world.until('renewing', unbroken)
    const { restart } = world
    world.restart = () => undefined
    expect((await world.act('abort')).ok).toBe(true)
    await world.until('narrowing', unbroken)
    expect(world.rotation()).toMatchObject({ direction: 'back', phase: 'narrowing' })
    world.restart = restart
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('aborted')
  })

  it('gets a new issuer although its anchors came, or were put back, after the control plane started', async () => {
    await world.established()
    world.restart = () => undefined
    world.mesh.anchors = 'of another hand'
    world.live(MINUTE)
    expect(world.mesh.anchors).toBe(world.document().current?.rootCert)
    world.see()
    await world.rotate('intermediate')
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
  })

  it('keeps the former anchor while certificates live on that identity issued for longer than workloadTtl', async () => {
    await world.established()
    world.mesh.issuanceLifetimeMs = 3 * DAY
    world.live(2 * DAY)
    world.see()
    await world.rotate('root')
    await world.until('renewing', unbroken)
    const taken = world.now()
    world.restart = () => undefined
    await world.until('narrowing', unbroken)
    expect((world.now() - taken) / DAY).toBeGreaterThan(3)
    expect(world.mesh.inUse(world.now())).toHaveLength(1)
  })

  it('holds at once where identity refuses the issuer, and says so', async () => {
    await world.established()
    await world.rotate('intermediate')
    await world.advance()
    world.pass(MINUTE)
    world.mesh.deliver(world.document(), world.now())
    const at = new Date(world.now()).toISOString()
    const issuerEvent = { reason: 'IssuerUpdateSkipped', at, message: 'certs could not be read' } as const
    world.store.put({ ...world.mesh.look(world.now()), issuerEvent })
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'NotTakenByIdentity' })
    expect(world.rotation()?.message).toContain('certs could not be read')
    expect(world.events()).toContain('held NotTakenByIdentity')
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
  })
})

describe('an external CA', () => {
  it('signs by the rules of Linkerd, which are looked at before anything is brought or written', async () => {
    await world.found({ root: { kind: 'external' } })
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'awaiting-issuer' })
    const { csr = '' } = world.rotation() ?? {}
    const wrong = await signed(csr, 'P-384', world.now())
    const refused = await completeCa(world.deps, 'east-ca', wrong, OPERATOR)
    expect(refused.ok ? [] : refused.failure.errors?.map(({ pointer }) => pointer)).toEqual(['/root', '/chain'])
    expect(refused.ok ? '' : JSON.stringify(refused.failure.errors)).toContain('Linkerd takes')
    expect(world.document().anchors).toBeUndefined()
    const right = await signed(csr, 'P-256', world.now())
    expect((await completeCa(world.deps, 'east-ca', right, OPERATOR)).ok).toBe(true)
    await world.until(undefined, unbroken)
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(world.mesh.anchors).toBe(right.root)
    expect(world.vault.peek(SECRETS.certChain)?.value).toBe(right.chain)
  })
})

/** What another CA makes of a request. */
async function signed(request: string, curve: 'P-256' | 'P-384', now: number) {
  const { issueIntermediate, issueRoot } = await import('../../../src/authority/issue.ts')
  const { makeCaKey } = await import('../../../src/authority/ca-key.ts')
  const { localSigner } = await import('../../../src/authority/signature.ts')
  const key = await makeCaKey({ type: 'EC', curve })
  const terms = { notBefore: now - HOUR, notAfter: now + 3000 * DAY, serial: Buffer.alloc(16, 3) }
  const signer = localSigner(key.pem)
  const root = await issueRoot({ commonName: `outside ${curve}` }, key.publicKey, terms, signer)
  if (!root.ok) throw new Error(root.message)
  const chain = await issueIntermediate({ request }, root.value, { ...terms, notAfter: now + 400 * DAY }, signer)
  if (!chain.ok) throw new Error(chain.message)
  return { root: root.value, chain: chain.value }
}
