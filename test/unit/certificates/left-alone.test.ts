import { beforeEach, describe, expect, it } from 'vitest'
import { deleteCertificate } from '../../../src/certificates/delete-certificate.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld, DAY, OPERATOR, SECOND, type World } from './world.ts'

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
