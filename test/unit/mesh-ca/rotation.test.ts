import { beforeEach, describe, expect, it } from 'vitest'
import { completeCa } from '../../../src/mesh-ca/complete-ca.ts'
import { createWorld, DAY, HOUR, MINUTE, OPERATOR, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const condition = (type: string) => world.document().conditions.find((one) => one.type === type)
/** The phases that were entered, in order. */
const phases = () =>
  world.store.kept
    .filter(({ type }) => type === 'certificate.phase')
    .map(({ data }) => `${data?.direction} ${data?.phase}`)

describe('the first CA', () => {
  it('is made at once where the vault holds none: root, intermediate, four secrets', async () => {
    await world.put()
    await world.advance()
    const { rotation, current, observedGeneration } = world.document()
    expect(rotation).toMatchObject({ phase: 'succeeded', what: 'root', reason: 'Written' })
    expect(current?.roots).toHaveLength(1)
    expect(observedGeneration).toBe(1)
    expect(condition('Issued')).toMatchObject({ status: 'True', reason: 'Current' })
    expect(world.vault.calls.filter((call) => call.startsWith('set'))).toEqual([
      'set root-cert',
      'set cert-chain',
      'set ca-cert',
      'set ca-key',
    ])
    world.mesh.poll(world.now())
    expect(world.mesh.held?.roots).toEqual(current?.roots.map(({ fingerprint }) => fingerprint))
  })

  it('is found where the vault holds one, and nothing is written', async () => {
    const other = createWorld()
    await other.put()
    await other.advance()
    for (const name of ['root-cert', 'cert-chain', 'ca-cert', 'ca-key'])
      world.vault.put(name, other.vault.peek(name)?.value ?? '')
    await world.put()
    await world.advance()
    expect(world.document()).toMatchObject({ current: { signer: other.document().current?.signer } })
    expect(world.document().rotation).toBeUndefined()
    expect(world.vault.calls.some((call) => call.startsWith('set'))).toBe(false)
    expect(world.events()).toContain('ca-found Found')
  })

  it('is not made over a set that is not whole, or that istiod would not take', async () => {
    world.vault.put('ca-cert', 'no certificate')
    await world.put()
    await world.advance()
    expect(world.document().rotation).toBeUndefined()
    expect(condition('Issued')).toMatchObject({ status: 'False', reason: 'BundleUnusable' })
    expect(world.vault.calls.some((call) => call.startsWith('set'))).toBe(false)
  })

  it('costs no write when nothing is to be done', async () => {
    await world.established()
    await world.advance()
    const { writes } = world.store
    await world.advance()
    expect(world.store.writes).toBe(writes)
  })
})

describe('a rotation of the intermediate', () => {
  it('switches the signer under the same root, waits until every leaf is new, and no connection breaks', async () => {
    await world.established()
    const before = world.document().current
    await world.rotate('intermediate')
    await world.until()
    expect(phases()).toEqual(['on preparing', 'on switching', 'on switching', 'on renewing'])
    expect(world.rotation()).toMatchObject({ phase: 'succeeded', what: 'intermediate' })
    expect(world.document().current?.signer.serial).not.toBe(before?.signer.serial)
    expect(world.document().current?.rootCert).toBe(before?.rootCert)
    expect(world.mesh.refusals).toBe(0)
    expect(world.mesh.broken(world.now())).toBe(0)
    const lasted = Date.parse(world.rotation()?.endedAt ?? '') - Date.parse(world.rotation()?.startedAt ?? '')
    expect(lasted).toBeGreaterThanOrEqual(DAY)
    expect(lasted).toBeLessThan(DAY + HOUR)
  })

  it('is over sooner when all Pods are restarted', async () => {
    await world.established()
    await world.rotate('intermediate')
    await world.until('renewing')
    world.pass(20 * MINUTE)
    world.mesh.restartAll(world.now())
    world.see()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
  })

  it('starts by itself when a third of its lifetime is left', async () => {
    await world.established()
    world.pass(200 * DAY)
    await world.advance()
    expect(world.document().rotation?.what).toBe('root')
    world.pass(50 * DAY)
    world.see()
    await world.advance()
    expect(world.document().rotation).toMatchObject({
      what: 'intermediate',
      phase: 'switching',
      actor: { id: 'schedule' },
    })
  })
})

describe('a rotation of the root', () => {
  it('goes A → A∥B → signer B → B by exact bytes, and no connection breaks', async () => {
    await world.established()
    const first = world.document().current
    await world.rotate('root')
    let broken = 0
    const { advance } = world
    world.advance = async () => {
      broken += world.mesh.broken(world.now())
      return advance()
    }
    await world.until()
    expect(phases().slice(2)).toEqual([
      'on preparing',
      'on widening',
      'on trusting',
      'on switching',
      'on renewing',
      'on narrowing',
    ])
    expect(world.rotation()).toMatchObject({ phase: 'succeeded', what: 'root' })
    const root = world.rotation()?.root?.pem ?? ''
    const wide = `${first?.rootCert}${root}`
    expect(world.values('root-cert')).toEqual([first?.rootCert, wide, wide, root])
    const signers = world.values('ca-cert')
    expect(signers[1]).toBe(signers[0])
    expect(signers[2]).not.toBe(signers[1])
    expect(signers[3]).toBe(signers[2])
    expect(broken).toBe(0)
    expect(world.mesh.refusals).toBe(0)
    const lasted = Date.parse(world.rotation()?.endedAt ?? '') - Date.parse(world.rotation()?.startedAt ?? '')
    expect(lasted / HOUR).toBeGreaterThanOrEqual(48)
    expect(lasted / HOUR).toBeLessThan(51)
    expect(condition('TrustSpread')).toMatchObject({ status: 'True', reason: 'Spread' })
  })

  it('says that it is not known with what istiod signs where metrics do not tell, and counts from the write', async () => {
    world.mesh.tells = false
    await world.established()
    await world.rotate('root')
    await world.until('renewing')
    expect(world.rotation()?.message).toContain('do not tell which certificate istiod signs with')
    await world.until()
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(world.mesh.broken(world.now())).toBe(0)
  })

  it('holds where istiod does not take what the vault holds, says why once, and goes on when it does', async () => {
    await world.established()
    await world.rotate('root')
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'Written' })
    world.pass(16 * MINUTE)
    world.see()
    await world.advance()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'NotTakenByIstiod' })
    expect(world.rotation()?.message).toContain('ISTIO_MULTIROOT_MESH')
    expect(world.events().filter((one) => one === 'held NotTakenByIstiod')).toHaveLength(1)
    await world.until('trusting')
    expect(world.rotation()?.phase).toBe('trusting')
  })

  it('opens no gate by a look that is older than the write, or that failed', async () => {
    await world.established()
    await world.rotate('root')
    await world.advance()
    world.mesh.poll(world.now())
    const seen = world.mesh.look(world.now() - 1)
    world.store.put(seen)
    world.pass(5 * MINUTE)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'WaitsForLook' })
    world.store.put({ ...world.mesh.look(world.now()), state: 'failed', reason: 'Unreachable', message: 'No answer.' })
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'Unreachable' })
    world.see()
    await world.advance()
    expect(world.rotation()?.phase).toBe('trusting')
  })

  it('holds while more connections fail than before it began, however long they have', async () => {
    await world.established()
    world.mesh.failures = { now: 10, before: 0 }
    world.see()
    await world.rotate('root')
    await world.advance()
    world.mesh.failures = { now: 31, before: 31 }
    world.pass(MINUTE)
    world.mesh.poll(world.now())
    world.see()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'widening', reason: 'FailuresRisen' })
    world.mesh.failures = { now: 30, before: 31 }
    world.see()
    await world.advance()
    expect(world.rotation()?.phase).toBe('trusting')
  })
})

describe('another hand', () => {
  for (const phase of ['widening', 'trusting', 'switching', 'renewing', 'narrowing']) {
    it(`stops a rotation that is ${phase}, and nothing is written over what it wrote`, async () => {
      await world.established()
      await world.rotate('root')
      await world.until(phase)
      const key = world.vault.peek('ca-key')
      world.vault.put('ca-key', key?.value ?? '')
      const { length } = world.vault.calls
      await world.live(2 * HOUR)
      expect(world.document().history[0]).toMatchObject({ phase: 'failed', reason: 'ChangedElsewhere' })
      expect(world.vault.calls.slice(length).filter((call) => call.startsWith('set'))).toEqual([])
      expect(world.events()).toContain('rotation-failed ChangedElsewhere')
    })
  }
})

describe('the way back', () => {
  for (const [phase, way] of [
    ['trusting', ['back narrowing']],
    ['renewing', ['back switching', 'back renewing', 'back narrowing']],
  ] as const) {
    it(`from ${phase} leads to what was there, and no connection breaks`, async () => {
      await world.established()
      const first = world.document().current
      await world.rotate('root')
      await world.until(phase)
      await world.live(3 * HOUR)
      expect((await world.act('abort')).ok).toBe(true)
      expect((await world.act('abort')).ok).toBe(true)
      await world.until()
      expect(world.rotation()).toMatchObject({ phase: 'aborted', reason: 'WentBack' })
      expect(phases().filter((one) => one.startsWith('back'))).toEqual(way)
      expect(world.document().current?.rootCert).toBe(first?.rootCert)
      expect(world.document().current?.signer).toEqual(first?.signer)
      expect(world.mesh.broken(world.now())).toBe(0)
      expect(world.mesh.refusals).toBe(0)
    })
  }

  it('from what was not written ends at once', async () => {
    await world.established()
    await world.rotate('root')
    await world.act('abort')
    expect(world.rotation()).toMatchObject({ phase: 'aborted', reason: 'Aborted' })
    await world.live(HOUR)
    expect(world.rotation()?.phase).toBe('aborted')
  })

  it('is asked for twice by who got no answer, and is one', async () => {
    const world = createWorld()
    await world.established()
    await world.rotate('root')
    await world.act('abort')
    const { rotation, updatedAt } = world.document()
    expect(await world.act('abort')).toMatchObject({ ok: true, value: { rotation: { phase: 'aborted' }, updatedAt } })
    expect(world.document().rotation).toEqual(rotation)
    expect(await world.act('pause')).toMatchObject({ ok: false, failure: { code: 'Conflict' } })
  })

  it('is refused once the old root was given up', async () => {
    await world.established()
    await world.rotate('root')
    await world.until('narrowing')
    const refused = await world.act('abort')
    expect(refused).toMatchObject({ ok: false, failure: { code: 'Conflict' } })
    expect(refused.ok ? '' : refused.failure.hint).toContain('POST …/rotate')
  })

  it('of an intermediate gives the former one back', async () => {
    await world.established()
    const first = world.document().current
    await world.rotate('intermediate')
    await world.until('renewing')
    await world.act('abort')
    await world.until()
    expect(world.rotation()?.phase).toBe('aborted')
    expect(world.document().current?.signer).toEqual(first?.signer)
  })
})

describe('a namespace of another mesh', () => {
  it('is excepted in the middle of a rotation, and the cluster is looked at for it', async () => {
    await world.established()
    await world.rotate('root')
    await world.until('widening')
    const looks = () => world.store.sent.filter(({ message }) => message.kind === 'trust').length
    const before = looks()
    await world.put({ exceptNamespaces: ['other'] })
    expect(looks()).toBe(before + 1)
    await world.put({ exceptNamespaces: ['other'], handshakes: true })
    expect(looks()).toBe(before + 1)
    expect(world.rotation()?.phase).toBe('widening')
  })
})

describe('pause', () => {
  it('writes nothing until it is resumed', async () => {
    await world.established()
    await world.rotate('root')
    await world.until('trusting')
    expect((await world.act('pause')).ok).toBe(true)
    const { length } = world.vault.calls
    await world.live(3 * DAY, 6 * HOUR)
    expect(world.rotation()?.phase).toBe('trusting')
    expect(world.vault.calls.slice(length).filter((call) => !call.startsWith('get'))).toEqual([])
    await world.act('resume')
    await world.until('renewing')
    expect(world.rotation()?.phase).toBe('renewing')
  })
})

describe('an external CA', () => {
  it('gets a CSR; what it signed is checked before it is stored, and only then written', async () => {
    await world.put({ root: { kind: 'external' } })
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'awaiting-issuer' })
    expect(world.rotation()?.csr).toContain('BEGIN CERTIFICATE REQUEST')
    expect(world.events()).toContain('awaiting-issuer AwaitingIssuer')
    expect(world.vault.peek('ca-key')).toBeUndefined()
    const { chain, root } = await signed(world.rotation()?.csr ?? '', world.now())
    const other = await signed(undefined, world.now())
    for (const [reply, pointer] of [
      [{ chain: other.chain, root: other.root }, '/chain'],
      [{ chain, root: other.root }, '/chain'],
      [{ chain }, '/root'],
      [{ chain: 'none', root }, '/chain'],
    ] as const) {
      const refused = await completeCa(world.deps, 'east-ca', reply, OPERATOR)
      expect(refused.ok ? undefined : refused.failure.errors?.[0]?.pointer).toBe(pointer)
    }
    expect((await completeCa(world.deps, 'east-ca', { chain: `${chain}${root}`, root }, OPERATOR)).ok).toBe(true)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
    expect(world.vault.peek('cert-chain')?.value).toBe(chain)
    expect(world.document().current?.rootCert).toBe(root)
    // The same again, because its answer was lost, is answered like the first; another chain is not.
    const before = world.document()
    expect((await completeCa(world.deps, 'east-ca', { chain: `${chain}${root}`, root }, OPERATOR)).ok).toBe(true)
    expect(world.document()).toEqual(before)
    const { chain: foreign } = other
    expect(await completeCa(world.deps, 'east-ca', { chain: foreign }, OPERATOR)).toMatchObject({ ok: false })
  })
})

describe('what would not be taken', () => {
  it('is not written: a chain that ended between its completion and the write', async () => {
    await world.put({ root: { kind: 'external' } })
    await world.advance()
    const { chain, root } = await signed(world.rotation()?.csr ?? '', world.now())
    expect((await completeCa(world.deps, 'east-ca', { chain, root }, OPERATOR)).ok).toBe(true)
    world.pass(401 * DAY)
    const { length } = world.vault.calls
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'failed', reason: 'BundleRefused' })
    expect(world.vault.calls.slice(length).filter((call) => call.startsWith('set'))).toEqual([])
  })
})

/** What an outside CA makes of a request, or of a key of its own. */
async function signed(csr: string | undefined, now: number) {
  const { issueIntermediate, issueRoot } = await import('../../../src/authority/issue.ts')
  const { makeCaKey } = await import('../../../src/authority/ca-key.ts')
  const { localSigner } = await import('../../../src/authority/signature.ts')
  const key = await makeCaKey({ type: 'EC', curve: 'P-384' })
  const terms = { notBefore: now - HOUR, notAfter: now + 3000 * DAY, serial: Buffer.alloc(16, 3) }
  const root = await issueRoot(
    { commonName: `outside ${csr === undefined}` },
    key.publicKey,
    terms,
    localSigner(key.pem),
  )
  if (!root.ok) throw new Error(root.message)
  const subject =
    csr === undefined
      ? { name: { commonName: 'x' }, publicKey: (await makeCaKey({ type: 'EC', curve: 'P-256' })).publicKey }
      : { request: csr }
  const chain = await issueIntermediate(
    subject,
    root.value,
    { ...terms, notAfter: now + 400 * DAY, serial: Buffer.alloc(16, 4) },
    localSigner(key.pem),
  )
  if (!chain.ok) throw new Error(chain.message)
  return { root: root.value, chain: chain.value }
}
