import { beforeEach, describe, expect, it } from 'vitest'
import { advanceCertificate } from '../../../src/certificates/advance-certificate.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld, DAY, HOUR, SECOND, VAULT, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const created = () => world.vault.calls.filter((call) => call.startsWith('create'))

describe('a certificate that the vault makes', () => {
  it('is made once its intent is stored, checked, and brought to one cluster after the other', async () => {
    await world.put()
    expect(world.document().rotation).toMatchObject({ phase: 'requested', actor: { name: 'Ada' } })
    const create = world.vault.create.bind(world.vault)
    world.vault.create = (name, policy, tags) => {
      expect(world.document().rotation).toMatchObject({ phase: 'creating', id: tags['meshwright-rotation'] })
      return create(name, policy, tags)
    }
    await world.advance()
    const { rotation } = world.document()
    expect(rotation).toMatchObject({ phase: 'creating' })
    expect(created()).toHaveLength(1)
    const version = await world.vault.complete('web-tls')
    expect(version.tags).toEqual({ 'meshwright-rotation': rotation?.id })
    await world.advance()
    expect(world.document()).toMatchObject({
      rotation: { phase: 'delivering', candidate: { serial: version.serial }, released: ['east', 'west'] },
      targets: { east: { version: version.version }, west: { version: version.version } },
    })
    expect(world.document().current).toBeUndefined()
    const condition = (type: string) => world.document().conditions.find((one) => one.type === type)
    expect(condition('Issued')).toMatchObject({ status: 'True', reason: 'Checked' })
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'NotDelivered' })
    world.deliver(['east'])
    await world.advance()
    expect(world.document().rotation?.phase).toBe('delivering')
    world.deliver()
    await world.advance()
    const document = world.document()
    expect(document).toMatchObject({ current: { serial: version.serial }, rotation: { phase: 'succeeded' } })
    expect(document.history).toHaveLength(1)
    expect(document.observedGeneration).toBe(1)
    expect(document.conditions.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True', reason: 'Ready' })
    expect(world.events()).toEqual([
      'certificate.registered',
      'certificate.rotation-started',
      'certificate.delivering',
      'certificate.rotated',
    ])
  })

  it('costs one request to the vault and no write when nothing is to be done', async () => {
    await world.put()
    await world.settle()
    const { writes } = world.store
    world.vault.calls.length = 0
    await world.advance()
    expect(world.vault.calls).toEqual(['version web-tls'])
    expect(world.store.writes).toBe(writes)
  })

  it('is not asked for twice when the answer is lost, however often and by whomever it is looked at', async () => {
    await world.put()
    const lost = new PortError('unavailable', 'Key Vault', 'no answer')
    const create = world.vault.create.bind(world.vault)
    world.vault.create = async (...args) => {
      await create(...args)
      throw lost
    }
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'creating', reason: 'VaultUnavailable' })
    await Promise.all([world.advance(), world.advance(), world.advance()])
    await world.vault.complete('web-tls')
    world.pass(2 * HOUR)
    await Promise.all([world.advance(), world.advance()])
    expect(created()).toHaveLength(1)
    expect(world.document().rotation?.phase).toBe('delivering')
  })

  it('is asked for again, after a while, when the request never came through', async () => {
    await world.put()
    world.vault.failOnce('create', new PortError('unavailable', 'Key Vault', 'no answer'))
    await world.advance()
    await world.advance()
    expect(created()).toHaveLength(1)
    world.pass(61 * SECOND)
    await world.advance()
    expect(created()).toHaveLength(2)
    expect(await world.vault.versions('web-tls')).toHaveLength(0)
  })

  it('waits while Entra ID gives no token: that is no refusal of the vault', async () => {
    await world.put()
    world.vault.failOnce('create', new PortError('denied', 'Key Vault', 'no token', { reason: 'TokenRefused' }))
    await world.advance()
    expect(world.document().rotation?.phase).toBe('creating')
    world.pass(61 * SECOND)
    await world.advance()
    expect(created()).toHaveLength(2)
    expect(world.document().rotation?.phase).toBe('creating')
  })

  it('is asked for by one of two workers that look at once', async () => {
    await world.put()
    await Promise.all([world.advance(), world.advance()])
    expect(created()).toHaveLength(1)
  })

  it('fails with the words of the vault, keeps what is current and tries again later and later', async () => {
    await world.put()
    await world.advance()
    world.vault.fail('web-tls', 'the issuer refuses')
    await world.advance()
    expect(world.document().rotation).toMatchObject({
      phase: 'failed',
      reason: 'OperationFailed',
      message: 'The vault did not make the version. The vault says: the issuer refuses',
    })
    expect(world.events().at(-1)).toBe('certificate.rotation-failed')
    expect(world.document().dueAt).toBe(new Date(world.now() + HOUR).toISOString())
    world.pass(HOUR)
    await world.advance()
    expect(world.document().rotation?.phase).toBe('creating')
    world.vault.fail('web-tls')
    await world.advance()
    expect(world.document().dueAt).toBe(new Date(world.now() + 2 * HOUR).toISOString())
    expect(world.document().history).toHaveLength(2)
  })

  it('waits while the vault throttles or refuses to be read, and says why', async () => {
    await world.put()
    world.vault.failOnce('operation', new PortError('throttled', 'Key Vault', 'too many', { retryAfterMs: 30_000 }))
    await world.advance()
    const held = world.document()
    expect(held.rotation).toMatchObject({ phase: 'requested', reason: 'VaultThrottled' })
    expect(held.dueAt).toBe(new Date(world.now() + 30_000).toISOString())
    expect(held.conditions.find(({ type }) => type === 'VaultReadable')).toMatchObject({ status: 'False' })
    await world.settle()
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('gives up what the vault refuses for good', async () => {
    await world.put()
    world.vault.softDelete('web-tls')
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'SoftDeleted' })
  })

  it('leaves an operation of another hand alone, and goes on when that has ended', async () => {
    await world.vault.create(
      'web-tls',
      {
        issuer: { kind: 'external' },
        dnsNames: ['x.example.com'],
        validityMonths: 3,
        key: { type: 'RSA', size: 2048 },
      },
      {},
    )
    await world.put()
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'requested', reason: 'OperationPending' })
    await world.vault.dropOperation('web-tls')
    world.pass(HOUR)
    await world.settle()
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('is renewed when its time comes, by nobody’s hand', async () => {
    await world.put()
    await world.settle()
    const { current, dueAt } = world.document()
    const lead = Date.parse(current?.notAfter ?? '') - Date.parse(dueAt ?? '')
    expect(lead).toBeGreaterThanOrEqual(30 * DAY)
    expect(lead).toBeLessThan(33 * DAY)
    world.pass(Date.parse(dueAt ?? '') - world.now())
    await world.settle()
    const after = world.document()
    expect(after.rotation).toMatchObject({ phase: 'succeeded', actor: { kind: 'schedule' } })
    expect(after.current?.serial).not.toBe(current?.serial)
    expect(after.history).toHaveLength(2)
  })

  it('is gone when nobody knows it any more', async () => {
    expect(await advanceCertificate(world.deps, 'none')).toEqual({ ok: true, value: undefined })
  })
})

describe('a version of another hand', () => {
  it('is brought to the clusters, and the event says that another hand made it', async () => {
    await world.put()
    await world.settle()
    const version = await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 120 * DAY })
    await world.settle()
    expect(world.document()).toMatchObject({
      current: { serial: version.serial },
      rotation: { phase: 'succeeded', actor: { id: 'key-vault' } },
    })
  })

  it('that does not fit is refused once, and what is current stays', async () => {
    await world.put()
    await world.settle()
    const { current, targets } = world.document()
    await world.vault.addVersion('web-tls', { dnsNames: ['other.example.com'], validForMs: 120 * DAY })
    await world.advance()
    expect(world.document()).toMatchObject({ rotation: { phase: 'failed', reason: 'HostsMissing' }, current, targets })
    const { history } = world.document()
    await world.advance()
    world.pass(DAY)
    await world.advance()
    expect(world.document().history).toEqual(history)
    // What is wanted of it changes: it is looked at anew.
    await world.put({ dnsNames: ['other.example.com'] })
    await world.settle()
    expect(world.document().current?.dnsNames).toEqual(['other.example.com'])
  })

  it('that ends before what is served is refused', async () => {
    await world.put()
    await world.settle()
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 10 * DAY })
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'EndsEarlier' })
  })

  it('takes the place of one that is still on its way', async () => {
    await world.put()
    await world.settle()
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 100 * DAY })
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'delivering', released: ['east'] })
    world.pass(1000)
    const newer = await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 120 * DAY })
    await world.settle()
    expect(world.document().current?.serial).toBe(newer.serial)
    expect(world.document().history.map(({ reason }) => reason)).toEqual(['Delivered', 'Superseded', 'Delivered'])
  })

  it('is all there is for imported certificates', async () => {
    await world.put({ issuer: { kind: 'imported' } })
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'requested', reason: 'WaitsForImport' })
    expect(created()).toEqual([])
    await world.vault.addVersion('web-tls', { dnsNames: ['*.example.com'] })
    await world.settle()
    expect(world.document().rotation?.phase).toBe('succeeded')
  })
})

describe('the clusters', () => {
  it('get a new version in groups, and a failing one holds those behind it', async () => {
    await world.put({ clusters: ['east', 'north', 'west'], spread: { atOnce: 1, pause: '1h' } })
    await world.settle()
    const first = world.document().current?.version
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 120 * DAY })
    await world.advance()
    expect(world.document().rotation?.released).toEqual(['east'])
    world.deliver(['east'])
    await world.advance()
    expect(world.document().rotation).toMatchObject({ released: ['east'], reason: 'Pausing' })
    world.pass(HOUR)
    await world.advance()
    expect(world.document().rotation?.released).toEqual(['east', 'north'])
    world.deliveryIs('north', { state: 'failed', reason: 'Unreachable', message: 'no answer' })
    world.pass(10 * HOUR)
    await world.advance()
    expect(world.document()).toMatchObject({
      rotation: {
        reason: 'WaitsForClusters',
        message: 'Waits for north (no answer). west keeps what it holds until then.',
      },
      targets: { west: { version: first } },
    })
    world.deliver(['north'])
    world.pass(HOUR)
    await world.settle()
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('wait for a maintenance window, unless what they hold ends soon', async () => {
    const windows = [{ cron: '0 2 * * *', for: '1h', timeZone: 'UTC' }]
    await world.put({ windows })
    await world.settle()
    world.pass(3 * HOUR)
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 120 * DAY })
    await world.advance()
    expect(world.document()).toMatchObject({
      rotation: { phase: 'awaiting-window', reason: 'WaitsForWindow' },
      dueAt: '2030-01-02T02:00:00.000Z',
    })
    world.pass(84 * DAY + HOUR)
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'delivering', released: ['east', 'west'] })
    expect(world.store.kept.filter(({ type }) => type === 'certificate.delivering').at(-1)).toMatchObject({
      reason: 'EndsSoon',
      data: { urgent: true },
    })
  })

  it('that come later get what is current, and one that is let go is left', async () => {
    await world.put()
    await world.settle()
    await world.put({ clusters: ['north', 'west'] })
    await world.advance()
    expect(world.document()).toMatchObject({
      leaving: ['east'],
      targets: { north: { serial: world.document().current?.serial } },
    })
    expect(Object.keys(world.document().targets)).toEqual(['west', 'north'])
    expect(world.document().observedGeneration).toBe(1)
    world.store.drop('delivery', 'web-tls/east')
    world.deliver()
    await world.advance()
    expect(world.document()).toMatchObject({ leaving: [], observedGeneration: 2 })
  })

  it('that is wanted again leaves no more, whatever it holds', async () => {
    await world.put()
    await world.settle()
    world.store.put({ ...world.document(), leaving: ['east'] })
    await world.advance()
    expect(world.document().leaving).toEqual([])
    expect(Object.keys(world.document().targets)).toContain('east')
  })

  it('keep what they hold when the key does not belong to the version', async () => {
    await world.put()
    await world.settle()
    const { current } = world.document()
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 120 * DAY })
    await world.advance()
    world.pass(SECOND)
    world.deliveryIs('east', { state: 'failed', reason: 'KeyMismatch', message: 'The key is another.' })
    await world.advance()
    expect(world.document()).toMatchObject({
      rotation: { phase: 'failed', reason: 'KeyMismatch' },
      targets: { east: { version: current?.version }, west: { version: current?.version } },
    })
  })

  it('hold a certificate that is deleted until they have let it go', async () => {
    const { deleteCertificate } = await import('../../../src/certificates/delete-certificate.ts')
    const { OPERATOR } = await import('./world.ts')
    await world.put()
    await world.settle()
    expect(await deleteCertificate(world.deps, 'web-tls', OPERATOR)).toEqual({ ok: true, value: { removed: false } })
    await world.advance()
    expect(world.document()).toMatchObject({ leaving: ['east', 'west'], targets: {} })
    for (const cluster of ['east', 'west']) world.store.drop('delivery', `web-tls/${cluster}`)
    await world.advance()
    expect(world.store.peek('certificate', 'web-tls')).toBeUndefined()
    expect(await world.vaults.open(VAULT).versions('web-tls')).toHaveLength(1)
  })
})

describe('people are told', () => {
  it('once a mark before a version ends', async () => {
    await world.put({ issuer: { kind: 'imported' } })
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 90 * DAY })
    await world.settle()
    const told = () =>
      world.store.kept.filter(({ type }) => type === 'certificate.near-expiry').map(({ data }) => data?.daysLeft)
    for (let day = 0; day < 95; day += 1) {
      world.pass(DAY)
      await world.advance()
      await world.advance()
    }
    // A life of 90 days is to be renewed with 30 left: it is not near its end at 60.
    expect(told()).toEqual([30, 14, 7, 3, 1])
    expect(world.document().conditions.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'Ended' })
  })

  it('from 60 days before the end of a long life, and to be paged from seven on; of a short one not at its birth', async () => {
    await world.put({ issuer: { kind: 'imported' } })
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 6 * DAY })
    await world.settle()
    const told = () =>
      world.store.kept
        .filter(({ type }) => type === 'certificate.near-expiry')
        .map(({ data }) => [data?.daysLeft, data?.page])
    expect(told()).toEqual([])
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 400 * DAY })
    await world.settle()
    for (let day = 0; day < 405; day += 1) {
      world.pass(DAY)
      await world.advance()
    }
    expect(told().map(([daysLeft]) => daysLeft)).toEqual([60, 30, 14, 7, 3, 1])
    expect(told().map(([, page]) => page)).toEqual([false, false, false, true, true, true])
  })
})
