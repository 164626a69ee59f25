import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { clusterDocument } from '../world.ts'
import { TrustWorld } from './trust-world.ts'

const WRITTEN = '2026-05-01T10:00:00.000Z'
const TAKEN = 'Istiod has detected the newly added intermediate CA and updated its key and certs accordingly'
const ROOT = 'Updating new ROOT-CA not supported'

let world: TrustWorld
beforeEach(() => {
  world = new TrustWorld()
  for (const name of ['aks-istio-system', 'istio-system', 'shop']) world.namespace(name)
  istiod('one')
  istiod('two')
  world.rotate({ writtenAt: WRITTEN })
  world.clock.at += 30_000
})

function istiod(name: string, namespace = 'aks-istio-system'): void {
  const metadata = { name, namespace, labels: { app: 'istiod' }, creationTimestamp: '2026-04-01T00:00:00Z' }
  world.cluster.edit('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } })
}

function says(name: string, seconds: number, text: string, namespace = 'aks-istio-system'): void {
  const at = new Date(Date.parse(WRITTEN) + seconds * 1000).toISOString()
  world.cluster.podLogs.set(`${namespace}/${name}`, `${at} ${at}\tinfo\t${text}\n`)
}

async function words() {
  await world.look()
  const { state, reason } = world.trust
  // What is said of it, or is not, breaks no look.
  expect([state, reason]).toEqual(['seen', 'NoBundles'])
  return world.trust.words
}

const denied = new PortError('denied', 'Kubernetes east', 'pods "one" is forbidden')

describe("what istiod's Pods say", () => {
  it('is taken when all of them took it, since the last of them', async () => {
    says('one', 10, TAKEN)
    expect(await words()).toEqual({ since: WRITTEN, state: 'silent' })
    says('two', 20, TAKEN)
    expect(await words()).toMatchObject({ state: 'taken', at: '2026-05-01T10:00:20.000Z', pod: 'aks-istio-system/two' })
  })

  it('is a refusal when one of them refuses, with its line', async () => {
    says('one', 10, TAKEN)
    says('two', 11, ROOT)
    expect(await words()).toEqual({
      ...{ since: WRITTEN, state: 'refused', at: '2026-05-01T10:00:11.000Z', pod: 'aks-istio-system/two' },
      line: '2026-05-01T10:00:11.000Z info Updating new ROOT-CA not supported',
    })
  })

  it('is unreadable where the right is missing, and names what gives it; a refusal of another is one still', async () => {
    world.cluster.podLogs.set('aks-istio-system/one', denied)
    says('two', 10, TAKEN)
    const line = expect.stringContaining('infra/kubernetes/trust-role.yaml')
    expect(await words()).toMatchObject({ state: 'unreadable', line, pod: 'aks-istio-system/one' })
    says('two', 11, ROOT)
    expect(await words()).toMatchObject({ state: 'refused', pod: 'aks-istio-system/two' })
  })

  it.each([
    ['a node that does not answer', new PortError('unavailable', 'Kubernetes east', 'dial tcp: refused')],
    ['a Pod that has gone meanwhile', new PortError('not-found', 'Kubernetes east', 'pods "one" not found')],
  ])('is unreadable at %s', async (_, error) => {
    world.cluster.podLogs.set('aks-istio-system/one', error)
    expect(await words()).toMatchObject({ state: 'unreadable', line: error.message })
  })

  it('is unreadable where no istiod is seen, and not that of others that call themselves so', async () => {
    world.cluster.objects.clear()
    istiod('three', 'shop')
    says('three', 10, TAKEN, 'shop')
    expect(await words()).toMatchObject({ state: 'unreadable' })
    expect(world.cluster.log).not.toContain('podLog')
  })

  it('is asked of five Pods at most', async () => {
    for (const name of ['three', 'four', 'five', 'six']) istiod(name, 'istio-system')
    await words()
    expect(world.cluster.log.filter((request) => request === 'podLog')).toHaveLength(5)
  })

  it('stands while the log has nothing newer, and a refusal only as long as its Pod', async () => {
    says('one', 10, TAKEN)
    says('two', 11, ROOT)
    await words()
    world.cluster.podLogs.clear()
    expect(await words()).toMatchObject({ state: 'refused' })
    world.cluster.podLogs.set('aks-istio-system/two', denied)
    expect(await words()).toMatchObject({ state: 'refused' })
    world.cluster.objects.delete([...world.cluster.objects.keys()].find((key) => key.endsWith('two')) ?? '')
    expect(await words()).toEqual({ since: WRITTEN, state: 'silent' })
    says('one', 12, TAKEN)
    await words()
    world.cluster.podLogs.clear()
    expect(await words()).toMatchObject({ state: 'taken' })
  })

  it('is news', async () => {
    await world.look()
    world.later(1000)
    says('one', 11, ROOT)
    await world.look()
    expect(world.work()).toContain('rotate-ca')
  })
})

describe('nobody asks istiod', () => {
  it.each([
    ['before the write', { writtenAt: undefined }],
    ['while nothing is rotated', { writtenAt: WRITTEN, phase: 'succeeded' }],
    ['in a phase that waits', { writtenAt: WRITTEN, phase: 'trusting', takenAt: WRITTEN }],
  ] as const)('%s', async (_, { writtenAt, ...change }) => {
    world.rotate({ ...change, ...(writtenAt === undefined ? {} : { writtenAt }) })
    await world.look()
    expect(world.cluster.log).not.toContain('podLog')
    expect(world.trust.words).toBeUndefined()
  })

  it('where the mesh is another', async () => {
    world.store.put(clusterDocument({ mesh: { provider: 'consul' } }))
    await world.look()
    expect(world.cluster.log).not.toContain('podLog')
  })

  it('but what it said is kept while proxies follow, and no longer', async () => {
    says('one', 10, TAKEN)
    says('two', 10, TAKEN)
    await world.look()
    world.rotate({ writtenAt: WRITTEN, phase: 'renewing', takenAt: WRITTEN })
    world.cluster.forget()
    await world.look()
    expect(world.cluster.log).not.toContain('podLog')
    expect(world.trust.words).toMatchObject({ state: 'taken' })
    world.rotate({ writtenAt: '2026-05-02T10:00:00.000Z', phase: 'trusting', takenAt: WRITTEN })
    await world.look()
    expect(world.trust.words).toBeUndefined()
  })
})
