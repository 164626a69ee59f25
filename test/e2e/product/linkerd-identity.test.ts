import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLUSTER_ADMIN_TOKEN } from '../../../src/sandbox/emulated-cluster.ts'
import { testCaSet, testRoot } from '../../unit/fakes/mesh-authority.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct('--linkerd')
}, 180_000)
afterAll(() => product.close(), 60_000)

interface Ca {
  readonly phase: string
  readonly serial: string | null
  readonly current?: { readonly rootCert?: string; readonly roots: readonly { readonly fingerprint: string }[] }
  readonly rotation?: { readonly phase: string; readonly reason: string; readonly message: string }
}

/** What `GET /world/linkerd/north` shows. */
interface Mesh {
  readonly controllers: readonly { readonly anchors: string; readonly issuer: string | null }[]
  readonly proxies: readonly { readonly pod: string; readonly anchors: string; readonly signer: string | null }[]
  readonly failingPairs: readonly unknown[]
  readonly failures: number
  readonly log: readonly string[]
}

const PATH = '/certificates/north-identity'
/**
 * What to restart, and so long after it is asked for: the control plane ten seconds after what it is to read was brought, and
 * all of it once the last replica signs anew, a quarter of the workload TTL later; times tell whole seconds.
 */
const RESTARTS: Readonly<Record<string, { readonly afterMs: number; readonly restart: () => Promise<void> }>> = {
  WaitsForControlPlane: { afterMs: 12_000, restart: restartControlPlane },
  WaitsForRestarts: { afterMs: 0, restart: restartPayments },
  WaitsForProxies: {
    afterMs: 17_000,
    restart: async () => {
      await restartControlPlane()
      await restartPayments()
    },
  },
}
/** An injector that was asked too early is asked again. */
const AGAIN_MS = 25_000
const ROTATION_MS = 420_000

const ca = async () => (await product.call<Ca>('GET', PATH)).body
const mesh = () => product.world<Mesh>('GET', '/linkerd/north')

/** One request to the API of the cluster, as its administrator. */
async function kube<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${product.file.world?.replace(/\/world$/, '')}/kubernetes/north${path}`, {
    method,
    headers: { authorization: `Bearer ${CLUSTER_ADMIN_TOKEN}`, 'content-type': 'application/merge-patch+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(answer.status, `${method} ${path}`).toBe(200)
  return (await answer.json()) as T
}

/** New Pods: of the control plane by `kubectl rollout restart`, of the service in its mesh by the world. */
async function restartControlPlane(): Promise<void> {
  const template = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() } } }
  for (const name of ['identity', 'destination', 'proxy-injector'])
    await kube('PATCH', `/apis/apps/v1/namespaces/linkerd/deployments/linkerd-${name}`, { spec: { template } })
}

async function restartPayments(): Promise<void> {
  for (const version of ['v1', 'v2']) {
    for (const pods of [0, 2])
      await product.world('PATCH', `/clusters/north/services/payments/pay/versions/${version}`, { pods })
  }
}

/** Restarts what the rotation waits for, as people do, until it is over; and sees that nobody fails all the while. */
async function restartsUntilOver(): Promise<{ readonly end: Ca; readonly reasons: readonly string[] }> {
  const reasons: string[] = []
  let waiting = { key: '', next: 0 }
  const end = await until(
    async () => {
      const [seen, now] = [await ca(), await mesh()]
      expect(now).toMatchObject({ failingPairs: [], failures: 0 })
      const { phase = '', reason = '' } = seen.rotation ?? {}
      const key = `${phase} ${reason}`
      const asked = RESTARTS[reason]
      if (key !== waiting.key) {
        waiting = { key, next: Date.now() + (asked?.afterMs ?? 0) }
        reasons.push(key)
      }
      if (asked && Date.now() > waiting.next) {
        await asked.restart()
        waiting.next = Date.now() + AGAIN_MS
      }
      return seen
    },
    ({ phase }) => phase === 'succeeded' || phase === 'failed' || phase === 'aborted',
    ROTATION_MS,
  )
  return { end, reasons }
}

test('a Linkerd that its CLI made is taken over with no connection that fails; an issuer of other anchors signs nothing', {
  timeout: 600_000,
}, async () => {
  const before = await until(
    mesh,
    ({ proxies }) => proxies.length === 7 && proxies.every(({ signer }) => signer !== null),
  )
  const [former] = before.controllers
  // As short as it may be: a certificate of the former issuer is soon over.
  const args = ['identity', '-identity-scheme=linkerd.io/tls', '-identity-issuance-lifetime=1m0s']
  const path = '/apis/apps/v1/namespaces/linkerd/deployments/linkerd-identity'
  const { spec } = await kube<{ spec: { template: { spec: { containers: [{ args: string[] }] } } } }>('GET', path)
  spec.template.spec.containers[0].args = args
  await kube('PATCH', path, { spec })
  await restartPayments()

  const body = {
    purpose: 'linkerd-identity',
    cluster: 'north',
    root: { kind: 'vault-key', hsm: false },
    workloadTtl: '1m',
  }
  expect((await product.call<Ca>('PUT', PATH, { body })).status).toBe(201)
  const taken = await restartsUntilOver()
  expect(taken.end).toMatchObject({ phase: 'succeeded' })
  // It never went on by itself where Pods had to be restarted.
  expect(taken.reasons).toEqual(
    expect.arrayContaining([
      'widening WaitsForControlPlane',
      'trusting WaitsForRestarts',
      'narrowing WaitsForControlPlane',
      'narrowing WaitsForRestarts',
    ]),
  )
  const after = await mesh()
  expect(after.controllers).toHaveLength(1)
  expect(after.controllers[0]?.issuer).not.toBe(former?.issuer)
  expect(new Set(after.proxies.map(({ anchors }) => anchors)).size).toBe(1)
  expect(after.proxies[0]?.anchors).not.toBe(former?.anchors)

  const now = Date.now()
  const foreign = await testCaSet(await testRoot('foreign', now), now)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  await kube('PATCH', '/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer', {
    // Else Meshwright puts back its own before identity has read this one.
    metadata: { annotations: { 'meshwright.io/hold': 'true' } },
    data: { 'crt.pem': base64(foreign.caCert), 'key.pem': base64(foreign.caKey) },
  })
  const refused = await until(mesh, ({ log }) => log.some((line) => line.startsWith('Skipping issuer update')))
  expect(refused.controllers[0]?.issuer).toBe(after.controllers[0]?.issuer)
  expect(refused).toMatchObject({ failingPairs: [], failures: 0 })
})
