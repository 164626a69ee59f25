import { beforeEach, describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { type CertificateTarget, certificateSpec, type DeliveryState } from '../../../src/model/certificate.ts'
import { deliverCertificate } from '../../../src/reconcile/certificates/deliver-certificate.ts'
import { heldSerialOf } from '../../../src/reconcile/certificates/deliver-secret.ts'
import { resyncDeliveries } from '../../../src/reconcile/certificates/resync-deliveries.ts'
import {
  type KubernetesEmulator,
  kubernetesEmulator,
} from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { secretsStoreDefinitions } from '../../../src/sandbox/emulators/secrets-store/definitions.ts'
import { secretsStore } from '../../../src/sandbox/emulators/secrets-store/secrets-store.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { certificateDocument } from '../../unit/reconcile/certificates/certificate-world.ts'
import { FakeStore } from '../../unit/reconcile/fakes.ts'
import { clusterDocument } from '../../unit/reconcile/world.ts'
import { kubeconfigText } from '../cluster-api/kubeconfig-text.ts'
import { type EmulatedVault, emulatedVault, VAULT_URL } from '../key-vault/emulated-vault.ts'

const POLL_MS = 120_000
const ID = '11111111-1111-4111-8111-111111111111'
const CSI = { delivery: 'csi', csi: { clientId: ID, tenantId: ID } }

let vault: EmulatedVault
let kubernetes: KubernetesEmulator
let store: FakeStore
let lines: string[]

beforeEach(async () => {
  vault = await emulatedVault()
  const context = { now: () => vault.clock.now(), random: Math.random, storage: memoryStorage() }
  kubernetes = kubernetesEmulator(context, { tokens: { t: { user: 'admin', groups: ['system:masters'] } } })
  kubernetes.seed([
    ...secretsStoreDefinitions(),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gateways' } },
  ])
  store = new FakeStore()
  store.put(clusterDocument())
  store.put(certificateDocument())
  lines = []
})

function deps() {
  const http = kubernetesTransport((request) => {
    lines.push(`${request.method} ${request.url.pathname.split('/').slice(-2).join('/')}`)
    return kubernetes.handle(request)
  })
  const kubeconfig = { text: kubeconfigText('https://east.test', 't'), folder: '/' }
  return {
    store,
    clusters: kubernetesClusters({ kubeconfig, http }, vault.clock),
    clock: vault.clock,
    random: { next: () => 0.5, uuid: () => ID },
    vaults: vault.vaults,
    vaultUrl: VAULT_URL,
    handshakes: { look: async () => undefined },
  }
}

/** A new version in the vault, which the cluster is to hold. */
async function want(spec: Readonly<Record<string, unknown>> = {}): Promise<CertificateTarget> {
  const policy = { issuer: { kind: 'self' }, dnsNames: ['web.example.com'], validityMonths: 3 } as const
  const opened = vault.vaults.open(VAULT_URL)
  await opened.create('web-tls', { ...policy, key: { type: 'EC', curve: 'P-256' } }, {})
  await vault.pass(60_000)
  const made = await opened.version('web-tls')
  const before = store.peek('certificate', 'web-tls')
  if (!made || !before) throw new Error('no version')
  const target = { version: made.version, serial: made.serial, revision: before.revision + 1 }
  store.put({
    ...before,
    revision: target.revision,
    targets: { east: target },
    spec: certificateSpec.parse({ ...before.spec, ...spec }),
  })
  return target
}

async function deliver(): Promise<DeliveryState> {
  await deliverCertificate(deps(), { certificate: 'web-tls', cluster: 'east' })
  const delivery = store.peek('delivery', 'web-tls/east')
  if (!delivery) throw new Error('no delivery')
  return delivery
}

function secret() {
  return kubernetes.get('v1', 'Secret', 'gateways', 'web-tls-secret')
}

function liveSerial(): string | undefined {
  const live = secret()
  return live && heldSerialOf(live as Parameters<typeof heldSerialOf>[0])?.serial
}

describe('a certificate from the emulated vault on the emulated cluster, by the real adapters', () => {
  it('is written, found again, put in the place of the old one, and taken away', async () => {
    const first = await want()
    expect(await deliver()).toMatchObject({ state: 'delivered', written: first, heldSerial: first.serial })
    expect(liveSerial()).toBe(first.serial)
    lines.splice(0)
    await deliver()
    expect(lines).toEqual(['GET namespaces/gateways', 'GET secrets/web-tls-secret'])
    const api = await deps().clusters.connect(clusterDocument())
    expect(await resyncDeliveries(deps(), api, 'east')).toEqual([])
    const second = await want()
    expect(await deliver()).toMatchObject({ state: 'delivered', written: second, heldSerial: second.serial })
    expect(liveSerial()).toBe(second.serial)
    expect(secret()?.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['meshwright'])
    store.documents.delete('certificate web-tls')
    await deliverCertificate(deps(), { certificate: 'web-tls', cluster: 'east' })
    expect(secret()).toBeUndefined()
    expect(store.peek('delivery', 'web-tls/east')).toBeUndefined()
  })

  it('is brought by the CSI driver, version after version, and the vault gives Meshwright no secret', async () => {
    const context = { now: () => vault.clock.now(), random: Math.random, storage: memoryStorage() }
    const options = { kubernetes, vault: vault.emulator.handle, token: async () => 'good', name: 'east' }
    const driver = secretsStore(context, options)
    for (const round of [1, 2]) {
      const target = await want(CSI)
      expect(await deliver(), `round ${round}`).toMatchObject({ state: 'waiting', reason: 'AwaitsDriver' })
      await vault.pass(POLL_MS)
      await driver.advance(POLL_MS)
      expect(await deliver()).toMatchObject({ state: 'delivered', heldSerial: target.serial })
      expect(liveSerial()).toBe(target.serial)
    }
    lines.splice(0)
    await deliver()
    expect(lines.filter((line) => !line.startsWith('GET'))).toEqual([])
    expect(vault.exchanges.filter(({ line }) => line.includes('/secrets/'))).toEqual([])
    store.documents.delete('certificate web-tls')
    await deliverCertificate(deps(), { certificate: 'web-tls', cluster: 'east' })
    await driver.advance(POLL_MS)
    expect(secret()).toBeUndefined()
    expect(kubernetes.list('apps/v1', 'Deployment')).toEqual([])
  })

  it('is held where the add-on is off', async () => {
    const definition = 'secretproviderclasses.secrets-store.csi.x-k8s.io'
    kubernetes.remove('apiextensions.k8s.io/v1', 'CustomResourceDefinition', '', definition)
    await want(CSI)
    expect(await deliver()).toMatchObject({ state: 'held', reason: 'SecretsProviderMissing' })
  })
})
