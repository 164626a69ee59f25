import { beforeEach, describe, expect, it } from 'vitest'
import { deleteCertificate } from '../../../src/certificates/delete-certificate.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld, DAY, HOUR, OPERATOR, SECOND, type World } from './world.ts'

const UNAVAILABLE = new PortError('unavailable', 'Key Vault', 'no answer')

let world: World
beforeEach(() => {
  world = createWorld()
})

/** What the sweep does: looks when the document says so, and only then; `step` is how late it may come. */
async function liveFor(ms: number, each: () => unknown = () => undefined, step = SECOND): Promise<void> {
  const end = world.now() + ms
  for (;;) {
    const { dueAt } = world.store.peek('certificate', 'web-tls') ?? {}
    if (dueAt === undefined || Date.parse(dueAt) > end) break
    world.pass(Math.max(Date.parse(dueAt) - world.now(), step))
    await world.advance()
    await each()
  }
  world.pass(Math.max(0, end - world.now()))
}

describe('a certificate that is deleted while its version is made', () => {
  it('goes by itself when the request was lost', async () => {
    await world.put({ clusters: [] })
    world.vault.create = () => Promise.reject(UNAVAILABLE)
    await world.advance()
    expect(world.document().rotation?.phase).toBe('creating')
    await deleteCertificate(world.deps, 'web-tls', OPERATOR)
    await liveFor(DAY)
    expect(world.store.peek('certificate', 'web-tls')).toBeUndefined()
  })

  it('goes by itself when the version was made meanwhile', async () => {
    await world.put({ clusters: [] })
    await world.advance()
    await world.vault.complete('web-tls')
    await deleteCertificate(world.deps, 'web-tls', OPERATOR)
    await liveFor(DAY)
    expect(world.store.peek('certificate', 'web-tls')).toBeUndefined()
  })
})

describe('a vault that was asked and did not answer', () => {
  /** Seconds from the first request to the second. */
  async function secondsUntilAskedAgain(): Promise<number> {
    const asked: number[] = []
    world.vault.create = () => {
      asked.push(world.now())
      return Promise.reject(UNAVAILABLE)
    }
    await world.advance()
    world.vault.failOnce('version', UNAVAILABLE)
    world.pass(SECOND)
    await world.advance()
    await liveFor(5 * 60 * SECOND)
    return ((asked[1] ?? 0) - (asked[0] ?? 0)) / SECOND
  }

  it('is not asked again within a minute though it cannot be read either', async () => {
    await world.put()
    expect(await secondsUntilAskedAgain()).toBeGreaterThanOrEqual(60)
  })

  it('is not asked again within a minute though a cluster is being left', async () => {
    await world.put()
    await world.settle()
    await world.put({ clusters: ['east'], dnsNames: ['web.example.com', 'b.example.com'] })
    expect(await secondsUntilAskedAgain()).toBeGreaterThanOrEqual(60)
  })
})

describe('a cluster that never answers', () => {
  it.each([
    ['from the first version on', false],
    ['after the first version', true],
  ])('does not take the others along when what they hold ends: %s', async (_, first) => {
    await world.put({ clusters: ['east', 'west'] })
    if (first) await world.settle()
    let left = Number.POSITIVE_INFINITY
    const serials = new Set<string>()
    const each = async () => {
      if (world.document().rotation?.phase === 'creating') await world.vault.complete('web-tls').catch(() => undefined)
      world.deliver(['east'])
      const { version = '', serial = '' } = world.document().targets.east ?? {}
      const held = version === '' ? undefined : await world.vault.version('web-tls', version)
      if (held) left = Math.min(left, Date.parse(held.notAfter) - world.now())
      serials.add(serial)
    }
    await liveFor(200 * DAY, each, 6 * HOUR)
    expect(left).toBeGreaterThan(20 * DAY)
    // About one in 58 days, and no more.
    expect(serials.size).toBeLessThanOrEqual(5)
    expect(world.events()).toContain('certificate.rotation-failed')
  })
})

describe('a CA whose versions all end on one day', () => {
  it('is asked once a day at most, not on and on', async () => {
    const end = world.now() + 40 * DAY
    await world.put({ clusters: [], issuer: { kind: 'integrated', name: 'plan' } })
    let count = 0
    world.vault.create = async (name, { dnsNames }, tags) => {
      count += 1
      await world.vault.addVersion(name, { dnsNames, validForMs: end - world.now(), tags })
    }
    await liveFor(39 * DAY)
    expect(count).toBeGreaterThan(1)
    expect(count).toBeLessThan(20)
  })
})

describe('what was lost or is over', () => {
  const condition = (type: string) => world.document().conditions.find((one) => one.type === type)

  it('trouble of the vault is not told for long after it is over', async () => {
    await world.put()
    await world.settle()
    world.vault.failOnce('version', UNAVAILABLE)
    await world.advance()
    expect(condition('VaultReadable')?.status).toBe('False')
    await liveFor(HOUR)
    expect(condition('VaultReadable')?.status).toBe('True')
  })

  it('a delivery whose message was lost is asked for again', async () => {
    await world.put()
    await world.settle()
    await world.put({ clusters: ['east', 'west', 'north'] })
    await world.advance()
    const asked = () =>
      world.store.sent.filter(({ message }) => message.kind === 'deliver' && message.cluster === 'north')
    expect(asked()).toHaveLength(1)
    await liveFor(3 * 60 * SECOND)
    expect(asked().length).toBeGreaterThan(1)
    world.deliver()
    const { length } = asked()
    await liveFor(HOUR)
    expect(asked()).toHaveLength(length)
  })

  it('of a certificate that was deleted in the vault people are told once, and it is served on', async () => {
    await world.put()
    await world.settle()
    world.vault.softDelete('web-tls')
    await world.advance()
    await world.advance()
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'VersionGone' })
    expect(world.events().filter((type) => type === 'certificate.version-gone')).toHaveLength(1)
    expect(world.document().rotation?.phase).toBe('succeeded')
    expect(Object.keys(world.document().targets)).toEqual(['east', 'west'])
  })

  it('clusters that a failed rotation left on two versions come together again', async () => {
    await world.put({ spread: { atOnce: 1, pause: '0s' } })
    await world.settle()
    await world.vault.addVersion('web-tls', { dnsNames: ['web.example.com'] })
    await world.advance()
    await world.advance()
    expect(world.document().targets.east?.version).not.toBe(world.document().targets.west?.version)
    const bad = world.document().targets.east?.version
    const read = world.vault.version.bind(world.vault)
    world.vault.version = async (...which) => {
      const found = await read(...which)
      return found && found.version === bad ? { ...found, enabled: false } : found
    }
    await world.advance()
    expect(world.document().rotation).toMatchObject({ phase: 'failed', reason: 'VersionDisabled' })
    await liveFor(2 * HOUR, () => world.document().rotation?.phase === 'creating' && world.vault.complete('web-tls'))
    await world.settle()
    expect(world.document().rotation).toMatchObject({ phase: 'succeeded' })
    expect(world.document().targets.east?.version).toBe(world.document().targets.west?.version)
  })
})
