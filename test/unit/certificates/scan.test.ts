import { beforeEach, describe, expect, it } from 'vitest'
import { scanCertificates } from '../../../src/certificates/scan-certificates.ts'
import type { CertificateVersion } from '../../../src/model/certificate.ts'
import type { WorkMessage } from '../../../src/model/outbox.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { VaultListing } from '../../../src/ports/vault.ts'
import { createWorld, DAY, START, VAULT, type World } from './world.ts'

const MANY = 10_000
const PAGE = 25

let world: World
let sent: string[]
beforeEach(() => {
  world = createWorld()
  sent = []
})

const queue = {
  send: async (_queue: string, message: WorkMessage) => {
    if (message.kind === 'rotate') sent.push(message.certificate)
  },
}
const scan = () => scanCertificates({ ...world.deps, queue })

function current(end: number): CertificateVersion {
  const notAfter = new Date(end).toISOString()
  return {
    version: 'v',
    serial: 'a1',
    fingerprint: 'f',
    notBefore: new Date(START).toISOString(),
    notAfter,
    dnsNames: [],
    issuer: 'CN=x',
  }
}

/** `count` certificates that rest, and a vault that lists them by pages as Key Vault does. */
async function fill(count: number, list: (index: number) => VaultListing): Promise<{ pages: () => number }> {
  await world.put()
  const { rotation: _rotation, dueAt: _dueAt, ...template } = world.document()
  world.store.drop('certificate', 'web-tls')
  for (let index = 0; index < count; index += 1) {
    world.store.put({ ...template, name: nameOf(index), current: current(START + (60 * DAY + index * 1000)) })
  }
  let pages = 0
  world.vault.list = async function* () {
    for (let from = 0; from < count; from += PAGE) {
      pages += 1
      yield Array.from({ length: Math.min(PAGE, count - from) }, (_, index) => list(from + index))
    }
  }
  return { pages: () => pages }
}

const nameOf = (index: number) => `c${String(index).padStart(5, '0')}`
const listing = (index: number): VaultListing => ({
  name: nameOf(index),
  notAfter: new Date(START + 60 * DAY + index * 1000).toISOString(),
  enabled: true,
})

describe('the scan', () => {
  it('of 10,000 certificates costs pages, and has only those looked at that differ or are due', {
    timeout: 60_000,
  }, async () => {
    const { pages } = await fill(MANY, (index) =>
      index === 7 ? { ...listing(index), notAfter: new Date(START + 200 * DAY).toISOString() } : listing(index),
    )
    world.store.change('certificate', nameOf(9), (document) => ({ ...document, dueAt: new Date(START).toISOString() }))
    let [lists, reads] = [0, 0]
    const { list } = world.store
    world.store.list = (...args: Parameters<typeof list>) => {
      lists += 1
      return list.apply(world.store, args) as never
    }
    world.store.beforeRead = () => {
      reads += 1
    }
    expect(await scan()).toMatchObject({ certificates: MANY, vaults: 1, pages: 400, queued: 2, failed: [] })
    expect([lists, reads, pages(), world.store.writes]).toEqual([2, 0, 400, 1])
    expect(sent.sort()).toEqual([nameOf(7), nameOf(9)])
    expect(world.vault.calls).toEqual([])
  })

  it('sees a version that is new, gone or disabled, and none of what is known', async () => {
    await fill(5, (index) => {
      if (index === 1) return { name: nameOf(1), enabled: true }
      if (index === 2) return { ...listing(2), enabled: false }
      return index === 3 ? { ...listing(3), name: nameOf(3).toUpperCase() } : listing(index)
    })
    expect(await scan()).toMatchObject({ certificates: 5, queued: 2 })
    expect(sent.sort()).toEqual([nameOf(1), nameOf(2)])
  })

  it('leaves alone what is on its way, and looks again at what waits for an import', async () => {
    await world.put()
    await world.put({ issuer: { kind: 'imported' }, secret: { namespace: 'ingress', name: 'b' } }, 'imported')
    await world.advance()
    await world.advance('imported')
    world.pass(1000)
    await world.vault.addVersion('imported', { dnsNames: ['web.example.com'] })
    expect(await scan()).toMatchObject({ queued: 1 })
    expect(sent).toEqual(['imported'])
  })

  it('goes on with the next vault when one does not answer', async () => {
    await world.put()
    await world.put({ vault: 'https://other.vault.azure.net', secret: { namespace: 'ingress', name: 'b' } }, 'second')
    for (const name of ['web-tls', 'second'])
      world.store.change('certificate', name, ({ rotation: _rotation, dueAt: _dueAt, ...document }) => document)
    world.vault.failOnce('list', new PortError('unavailable', 'Key Vault', 'no answer'))
    await world.vaults.open('https://other.vault.azure.net').addVersion('second', { dnsNames: ['web.example.com'] })
    expect(await scan()).toMatchObject({ vaults: 2, failed: [VAULT], queued: 1 })
    expect(sent).toEqual(['second'])
  })
})
