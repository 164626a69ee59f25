import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CaRotation } from '../../../../src/model/ca-rotation.ts'
import { type CaSet, meshCaSpec } from '../../../../src/model/mesh-ca.ts'
import { timestamp } from '../../../../src/model/names.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { type TestSigner, testSigner } from '../../fakes/test-leaf.ts'
import { setEnding, TrustWorld } from './trust-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const NOW = '2026-05-01T10:00:00.000Z'
const WEB = 'spiffe://cluster.local/ns/shop/sa/web'

let signers: { readonly former: TestSigner; readonly next: TestSigner; readonly foreign: TestSigner }
let leaves: Record<'former' | 'next' | 'foreign' | 'elsewhere', string>
beforeAll(async () => {
  const [former, next, foreign] = await Promise.all(['0a', '0b', '0c'].map((serial) => testSigner('sub', serial)))
  if (!former || !next || !foreign) throw new Error('no signers')
  signers = { former, next, foreign }
  leaves = {
    former: (await former.leaf(WEB)).cert,
    next: (await next.leaf(WEB)).cert,
    foreign: (await foreign.leaf(WEB)).cert,
    elsewhere: (await next.leaf('spiffe://cluster.local/ns/pay/sa/web')).cert,
  }
})

let world: TrustWorld
/** By address: what the Pod there shows. */
let shown: Map<string, string | undefined>
let asked: string[]
beforeEach(() => {
  world = new TrustWorld()
  for (const name of ['shop', 'pay']) world.namespace(name)
  shown = new Map()
  asked = []
  world.leaf = (address, port) => {
    asked.push(`${address}:${port}`)
    return shown.get(address)
  }
})

function setOf(serial: string, caCert: string): CaSet {
  const set = setEnding('2027-05-01T10:00:00.000Z')
  return { ...set, caCert, signer: { ...set.signer, serial } }
}

const SPEC = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' }, workloadTtl: '24h' }

/** Renews since `NOW`: what signs now is `b`, before it was `a`. */
function renewing(change: Partial<CaRotation> = {}, spec: object = { handshakes: true }): void {
  const [from, written] = [setOf('a', signers.former.caCert), setOf('b', signers.next.caCert)]
  world.rotate({ phase: 'renewing', from, written, writtenAt: NOW, takenAt: NOW, ...change })
  world.ca({ spec: meshCaSpec.parse({ ...SPEC, ...spec }), current: written })
}

let pods = 0
function pod(
  leaf: string | undefined,
  { port = 8080, more = {} }: { readonly port?: number; readonly more?: object } = {},
): string {
  pods += 1
  const podIP = `10.244.${Math.floor(pods / 250)}.${(pods % 250) + 1}`
  const spec = { containers: [{ name: 'app', ports: [{ containerPort: port }] }], ...more }
  world.pod('shop', `web-${pods}`, HOUR_MS, { spec, status: { phase: 'Running', podIP } })
  shown.set(podIP, leaf)
  return podIP
}

async function look(afterMs = 0) {
  world.later(afterMs)
  asked = []
  await world.look()
  return world.trust
}

describe('leaves', () => {
  it('are read from Pods at the port of their application, and counted by who signed them', async () => {
    renewing()
    const first = pod(leaves.former)
    pod(leaves.next)
    pod(leaves.next, { port: 9000 })
    pod(leaves.foreign)
    const { leaves: found, leavesRound } = await look()
    expect(asked).toHaveLength(4)
    expect(asked).toContain(`${first}:8080`)
    expect(found).toMatchObject({ read: 4, unread: 0, bySigner: { a: 1, b: 2, other: 1 }, wanted: 'b', begun: 'early' })
    expect(found).toMatchObject({ since: NOW, at: NOW })
    expect(found?.others).toHaveLength(2)
    expect(leavesRound).toBeUndefined()
  })

  it('are unread where a Pod shows none, or one that is not of its namespace, or has no port', async () => {
    renewing()
    pod(undefined)
    pod(leaves.elsewhere)
    pod(leaves.next, { more: { containers: [{ name: 'istio-proxy' }] } })
    pod(leaves.next, { more: { hostNetwork: true } })
    expect((await look()).leaves).toMatchObject({ read: 0, unread: 4, bySigner: {} })
    expect(asked).toHaveLength(2)
  })

  it('are unread where the cluster does not tell of the Pod, which breaks no look', async () => {
    renewing()
    pod(leaves.next)
    world.cluster.before = (request) => {
      if (request === 'list Pod') throw new PortError('unavailable', 'Kubernetes east', 'no')
    }
    const trust = await look()
    expect(trust).toMatchObject({ state: 'seen', leaves: { read: 0, unread: 1 } })
  })

  it('are read of fifty Pods a look, until each was asked once, and the next look comes soon', async () => {
    renewing()
    for (let count = 0; count < 120; count += 1) pod(leaves.next)
    const all = new Set<string>()
    const first = await look(10 * MINUTE_MS)
    for (const one of asked) all.add(one)
    expect(first.leaves).toBeUndefined()
    expect(first.leavesRound).toMatchObject({ read: 50, since: '2026-05-01T10:10:00.000Z' })
    world.later(30 * MINUTE_MS)
    world.rotate({ ...world.store.peek('mesh-ca', 'east-ca')?.rotation, phaseSince: NOW })
    const second = await look()
    expect(world.work()).toContain('trust in 15 s')
    for (const one of asked) all.add(one)
    // The round before began too early to tell.
    expect(second.leavesRound).toMatchObject({ read: 50, begun: 'taken', since: '2026-05-01T10:40:00.000Z' })
    await look(15_000)
    for (const one of asked) all.add(one)
    const last = await look(15_000)
    for (const one of asked) all.add(one)
    expect(asked).toHaveLength(20)
    expect(last.leaves).toMatchObject({ read: 120, bySigner: { b: 120 }, since: '2026-05-01T10:40:00.000Z' })
    expect(last.leavesRound).toBeUndefined()
    expect(all.size).toBe(120)
  })

  it('are read of ten Pods at once', async () => {
    renewing()
    for (let count = 0; count < 30; count += 1) pod(leaves.next)
    let [now, most] = [0, 0]
    const deps = {
      ...world.deps,
      podHandshakes: {
        async leaf() {
          now += 1
          most = Math.max(most, now)
          for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
          now -= 1
          return leaves.next
        },
      },
    }
    const { lookAtTrust } = await import('../../../../src/reconcile/trust/look-at-trust.ts')
    await lookAtTrust(deps, { ca: 'east-ca' })
    expect(world.trust.leaves?.read).toBe(30)
    expect(most).toBe(10)
  })

  it('are read again after a pause, at once when all could be renewed, and once more when all must be', async () => {
    renewing()
    pod(leaves.next)
    const begun = async (afterMs: number) => {
      const { leaves: found } = await look(afterMs)
      return [asked.length, found?.begun]
    }
    expect(await begun(0)).toEqual([1, 'early'])
    expect(await begun(MINUTE_MS)).toEqual([0, 'early'])
    expect(await begun(4 * MINUTE_MS)).toEqual([1, 'early'])
    expect(await begun(9 * MINUTE_MS + 59_000)).toEqual([1, 'early'])
    expect(await begun(2000)).toEqual([1, 'taken'])
    expect(await begun(1000)).toEqual([0, 'taken'])
    expect(await begun(24 * HOUR_MS)).toEqual([1, 'over'])
    expect(world.work()).toContain('rotate-ca')
  })

  it('are news when they could take the rotation on, though they are the same', async () => {
    renewing()
    pod(leaves.next)
    await look()
    await look(10 * MINUTE_MS)
    expect(world.work()).not.toContain('rotate-ca')
    await look(6 * MINUTE_MS)
    expect(world.work()).toContain('rotate-ca')
  })
})

describe('nobody shakes hands', () => {
  it.each<[string, () => void]>([
    ['where it is not wanted', () => renewing({}, {})],
    ['while trust is widened', () => renewing({ phase: 'widening' })],
    ['while proxies come to trust', () => renewing({ phase: 'trusting' })],
  ])('%s', async (_, prepare) => {
    prepare()
    pod(leaves.next)
    await look()
    expect(asked).toEqual([])
    expect(world.trust.leaves).toBeUndefined()
  })

  it('more than once an hour while nothing is rotated', async () => {
    renewing({ phase: 'succeeded' })
    pod(leaves.next)
    await look()
    expect(asked).toHaveLength(1)
    await look(30 * MINUTE_MS)
    expect(asked).toHaveLength(0)
    expect(world.trust.leaves).toMatchObject({ read: 1, at: timestamp(Date.parse(NOW)) })
    await look(30 * MINUTE_MS)
    expect(asked).toHaveLength(1)
  })
})
