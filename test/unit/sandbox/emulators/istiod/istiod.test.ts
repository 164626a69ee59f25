import { beforeEach, describe, expect, it } from 'vitest'
import type { CaTexts } from '../../../../../src/sandbox/emulators/istiod/ca-bundle.ts'
import { type IstiodEmulator, istiodEmulator } from '../../../../../src/sandbox/emulators/istiod/istiod.ts'
import { kubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { labelMatcher } from '../../../../../src/sandbox/emulators/prometheus/matcher.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import { type TestCaSet, testCaSet, testRoot } from '../../../fakes/mesh-authority.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const HOUR_MS = 3_600_000
const TTL_MS = 24 * HOUR_MS

const [rootA, rootB] = [await testRoot('a', NOW), await testRoot('b', NOW)]
const [a, b] = [await testCaSet(rootA, NOW), await testCaSet(rootB, NOW)]
const both = rootA.pem + rootB.pem

let now = NOW
let world: ReturnType<typeof startWorld>
beforeEach(() => {
  now = NOW
  world = startWorld()
})

function startWorld() {
  const storage = memoryStorage()
  const context = { now: () => now, random: Math.random, storage }
  const kubernetes = kubernetesEmulator(context, { tokens: {} })
  const open = () => istiodEmulator(context, { kubernetes, name: 'east' })
  return { kubernetes, open, istiod: open() }
}

function addPod(name: string): void {
  const annotations = { 'sidecar.istio.io/status': '{}' }
  world.kubernetes.seed([{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name, annotations } }])
}

function advance(texts: CaTexts | undefined, istiod: IstiodEmulator = world.istiod): void {
  istiod.advance(texts, TTL_MS)
}

function bundleIn(namespace: string): string | undefined {
  const found = world.kubernetes.get('v1', 'ConfigMap', namespace, 'istio-ca-root-cert')
  return (found?.data as { readonly 'root-cert.pem'?: string } | undefined)?.['root-cert.pem']
}

function leafOf(name: string) {
  return [...world.istiod.leaves().values()].find(({ pod }) => pod === `shop/${name}`)
}

function newest(metric: string): number | undefined {
  const [series] = world.istiod.metrics.series([labelMatcher('__name__', '=', metric)], now - 60_000, now)
  return series?.samples.at(-1)?.[1] ?? undefined
}

describe('what istiod takes', () => {
  it('is nothing while the four are not there', () => {
    advance(undefined)
    expect(world.istiod.bundle()).toBeUndefined()
    expect(bundleIn('default')).toBeUndefined()
  })

  it('becomes the trust bundle of every namespace but those of Kubernetes', () => {
    addPod('web')
    advance(a)
    expect([bundleIn('default'), bundleIn('shop'), bundleIn('kube-system')]).toEqual([rootA.pem, rootA.pem, undefined])
  })

  it.each<[string, (set: TestCaSet) => TestCaSet, string]>([
    ['the key of another', (set) => ({ ...set, caKey: b.caKey }), 'the private key does not match'],
    [
      'a key after another block',
      (set) => ({ ...set, caKey: `-----BEGIN EC PARAMETERS-----\nBgUr\n-----END EC PARAMETERS-----\n${set.caKey}` }),
      'failed to parse the private key',
    ],
    ['a signer of another root', () => ({ ...b, rootCert: rootA.pem }), 'cannot verify the cert'],
    ['roots that are not related', () => b, 'Updating new ROOT-CA not supported'],
    ['no certificate', (set) => ({ ...set, caCert: 'nothing' }), 'failed to parse the CA certificate'],
  ])('is not %s: all of the old stays', (_, change, words) => {
    advance(a)
    const before = world.istiod.bundle()
    advance(change(a))
    expect(world.istiod.bundle()).toEqual(before)
    expect(world.istiod.log().at(-1)).toContain(words)
    expect(bundleIn('default')).toBe(rootA.pem)
  })

  it('is not a signer whose time is over', async () => {
    const short = await testCaSet(rootA, NOW, { lifetimeMs: HOUR_MS })
    now += 2 * HOUR_MS
    advance(short)
    expect(world.istiod.log().at(-1)).toContain('cannot verify the cert')
  })

  it('outlives its process', () => {
    advance(a)
    const again = world.open()
    expect(again.bundle()?.rootCert).toBe(rootA.pem)
    advance(b, again)
    expect(again.log().at(-1)).toBe('Updating new ROOT-CA not supported')
  })
})

describe('leaves', () => {
  beforeEach(() => {
    addPod('web')
    advance(a)
  })

  it('are renewed at half their lifetime, and learn of roots only then', () => {
    advance({ ...a, rootCert: both })
    expect(leafOf('web')?.trusts).toHaveLength(1)
    now += 11 * HOUR_MS
    advance({ ...a, rootCert: both })
    expect(leafOf('web')?.trusts).toHaveLength(1)
    now += HOUR_MS
    advance({ ...a, rootCert: both })
    expect(leafOf('web')).toMatchObject({ notBefore: now, notAfter: now + TTL_MS })
    expect(leafOf('web')?.trusts).toHaveLength(2)
  })

  it('of new Pods are of what istiod has now, and go with their Pod', () => {
    advance({ ...b, rootCert: both })
    addPod('new')
    advance({ ...b, rootCert: both })
    expect(leafOf('new')?.root).toBe(world.istiod.bundle()?.roots[1])
    world.kubernetes.remove('v1', 'Pod', 'shop', 'new')
    advance({ ...b, rootCert: both })
    expect(leafOf('new')).toBeUndefined()
  })

  it('connect through a root rotation that waits half a lifetime in each phase', () => {
    now += 6 * HOUR_MS
    addPod('other')
    for (const step of [{ ...a, rootCert: both }, { ...b, rootCert: both }, b]) {
      for (let hours = 0; hours <= 12; hours += 1) {
        advance(step)
        now += HOUR_MS
      }
    }
    expect([leafOf('web'), leafOf('other')]).toMatchObject([{ trusts: { length: 1 } }, { trusts: { length: 1 } }])
    expect(newest('istio_requests_total')).toBeUndefined()
  })

  it('fail to connect when the signer changes before all trust its root, and are counted', () => {
    advance({ ...a, rootCert: both })
    advance({ ...b, rootCert: both })
    addPod('late')
    advance({ ...b, rootCert: both })
    now += 5000
    // Neither calls the other: each looks at the other's certificate.
    expect(newest('istio_requests_total')).toBe(2)
  })
})

describe('metrics', () => {
  it('tell when what istiod signs with ends', () => {
    advance(a)
    now += 5000
    expect(newest('citadel_server_cert_chain_expiry_timestamp')).toBe(NOW / 1000 + 31_536_000)
    expect(newest('citadel_server_root_cert_expiry_timestamp')).toBe(NOW / 1000 + 315_360_000)
  })

  it('tell nothing while it has nothing', () => {
    expect(newest('citadel_server_cert_chain_expiry_timestamp')).toBeUndefined()
  })
})
