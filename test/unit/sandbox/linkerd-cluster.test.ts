import { beforeEach, describe, expect, it } from 'vitest'
import { type EmulatedClusters, emulateClusters } from '../../../src/sandbox/emulated-clusters.ts'
import { entraEmulator } from '../../../src/sandbox/emulators/entra/entra.ts'
import { ANCHORS_HASH } from '../../../src/sandbox/emulators/linkerd/linkerd.ts'
import { hashOf } from '../../../src/sandbox/emulators/linkerd/state.ts'
import { SANDBOX_IDENTITY, SANDBOX_TENANT } from '../../../src/sandbox/identities.ts'
import { installLinkerd } from '../../../src/sandbox/linkerd-install.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { RESTARTED_AT } from '../../../src/sandbox/world/workload-pods.ts'

let now = Date.parse('2026-05-01T10:00:00.000Z')
const storage = memoryStorage()
const context = { now: () => now, random: Math.random, storage }
const entra = await entraEmulator(context, {
  tenantId: SANDBOX_TENANT,
  issuer: 'https://sandbox.invalid',
  audience: 'api://sandbox',
  lifetimeS: 3600,
  identity: SANDBOX_IDENTITY,
})

async function start(): Promise<EmulatedClusters> {
  const emulated = emulateClusters(context, entra, { linkerd: true })
  await installLinkerd(context, emulated)
  return emulated
}

let emulated: EmulatedClusters
beforeEach(async () => {
  emulated = await start()
  for (let at = 0; at < 10; at += 1) pass(1000)
})

function parts() {
  const [cluster, linkerd] = [emulated.clusters.get('north'), emulated.linkerds.get('north')]
  if (!cluster || !linkerd) throw new Error('no cluster')
  return { cluster, kubernetes: cluster.kubernetes, linkerd }
}

function pass(ms: number): void {
  now += ms
  parts().cluster.advance()
  parts().linkerd.advance()
}

const pods = (namespace: string) => parts().kubernetes.list('v1', 'Pod', namespace)
const anchors = () => {
  const map = parts().kubernetes.get('v1', 'ConfigMap', 'linkerd', 'linkerd-identity-trust-roots')
  return (map?.data as Record<string, string> | undefined)?.['ca-bundle.crt'] ?? ''
}

describe('the cluster with Linkerd', () => {
  it('is there only when it is asked for', () => {
    expect([...emulateClusters({ ...context, storage: memoryStorage() }, entra).clusters.keys()]).toEqual([
      'east',
      'west',
    ])
  })

  it('has what the CLI installs: one certificate as anchor and issuer, and every Pod with a leaf of it', () => {
    const { kubernetes, linkerd } = parts()
    const secret = kubernetes.get('v1', 'Secret', 'linkerd', 'linkerd-identity-issuer')
    const { 'crt.pem': issuer = '' } = (secret?.data ?? {}) as Record<string, string>
    expect(Buffer.from(issuer, 'base64').toString()).toBe(anchors())
    expect(pods('linkerd')).toHaveLength(3)
    expect(pods('payments')).toHaveLength(4)
    for (const { metadata } of pods('payments'))
      expect(metadata.annotations).toMatchObject({ [ANCHORS_HASH]: hashOf(anchors()) })
    expect([...linkerd.proxies().values()].filter(({ leaf }) => leaf !== undefined)).toHaveLength(7)
    expect(linkerd.failingPairs()).toEqual([])
    expect(pods('payments')[0]?.metadata.annotations).not.toHaveProperty('sidecar.istio.io/status')
  })

  it('comes back as it was', async () => {
    const [text, uids] = [anchors(), pods('linkerd').map(({ metadata }) => metadata.uid)]
    emulated = await start()
    for (let at = 0; at < 5; at += 1) pass(1000)
    expect([anchors(), pods('linkerd').map(({ metadata }) => metadata.uid)]).toEqual([text, uids])
  })

  it('knows new anchors after its workloads restart, which are their Deployments’ to do', () => {
    const { kubernetes, linkerd } = parts()
    const metadata = { name: 'linkerd-identity-trust-roots', namespace: 'linkerd' }
    const text = `${anchors()}\n`
    kubernetes.seed([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca-bundle.crt': text } }])
    for (let at = 0; at < 5; at += 1) pass(1000)
    expect([...linkerd.proxies().values()].filter((proxy) => proxy.anchors === hashOf(text))).toEqual([])
    for (const namespace of ['linkerd', 'payments']) {
      for (const deployment of kubernetes.list('apps/v1', 'Deployment', namespace)) {
        const spec = structuredClone(deployment.spec) as { template: { metadata: { annotations?: object } } }
        spec.template.metadata.annotations = { ...spec.template.metadata.annotations, [RESTARTED_AT]: '2026-05-01' }
        kubernetes.seed([{ ...deployment, spec } as Parameters<typeof kubernetes.seed>[0][number]])
      }
    }
    for (let at = 0; at < 30; at += 1) pass(1000)
    expect([...linkerd.proxies().values()].map((proxy) => proxy.anchors)).toEqual(Array(7).fill(hashOf(text)))
    expect([...linkerd.controllers().values()].map((one) => one.anchors)).toEqual([hashOf(text)])
    expect(linkerd.failingPairs()).toEqual([])
  })
})
