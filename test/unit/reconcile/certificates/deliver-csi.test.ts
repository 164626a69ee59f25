import { beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { CertificateTarget } from '../../../../src/model/certificate.ts'
import type { ManagedClusterFacts } from '../../../../src/model/cluster.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { resyncDeliveries } from '../../../../src/reconcile/certificates/resync-deliveries.ts'
import { CertificateWorld, SECRET } from './certificate-world.ts'

const NAME = 'meshwright-certs-web-tls'
const CSI = {
  clientId: '11111111-1111-4111-8111-111111111111',
  tenantId: '22222222-2222-4222-8222-222222222222',
}

let world: CertificateWorld
beforeEach(() => {
  world = new CertificateWorld()
  world.spec({ delivery: 'csi', csi: CSI })
})

function aks(secretsProvider?: ManagedClusterFacts['secretsProvider']): ManagedClusterFacts {
  const entra = { enabled: true, azureRbac: true, localAccountsDisabled: true }
  const facts = { provisioningState: 'Succeeded', location: 'westeurope', isPrivate: false, azureMonitorMetrics: false }
  return { ...facts, entra, ...(secretsProvider ? { secretsProvider } : {}) }
}

/** What the driver does: the Secret as the class asks for it. */
async function sync({ version }: CertificateTarget): Promise<void> {
  const [made] = (world.cluster.peek('SecretProviderClass', NAME)?.spec?.secretObjects ?? []) as readonly {
    readonly labels: Record<string, string>
    readonly annotations: Record<string, string>
  }[]
  const { value } = await world.vault.secret('web-tls', version)
  world.cluster.edit('secrets-store-csi-driver', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: SECRET,
      namespace: 'gateways',
      labels: { ...made?.labels, 'secrets-store.csi.k8s.io/managed': 'true' },
      annotations: { ...made?.annotations },
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': Buffer.from(value.slice(value.indexOf('-----BEGIN CERT'))).toString('base64'),
      'tls.key': 'eA==',
    },
  })
}

describe('delivery by the Secrets Store CSI driver', () => {
  it('tells the driver the version, keeps it mounted, and never asks the vault for the key', async () => {
    const target = await world.want()
    await world.deliver()
    expect(world.vault.calls).not.toContain('secret web-tls')
    const { spec } = world.cluster.peek('SecretProviderClass', NAME) ?? {}
    expect(spec).toMatchObject({
      provider: 'azure',
      parameters: {
        useVMManagedIdentity: 'true',
        userAssignedIdentityID: CSI.clientId,
        tenantId: CSI.tenantId,
        keyvaultName: 'certs',
        cloudName: '',
      },
      secretObjects: [
        {
          secretName: SECRET,
          type: 'kubernetes.io/tls',
          data: [
            { objectName: 'web-tls', key: 'tls.key' },
            { objectName: 'web-tls', key: 'tls.crt' },
          ],
        },
      ],
    })
    const { objects = '' } = (spec?.parameters ?? {}) as { readonly objects?: string }
    const { array } = parse(objects) as { array: string[] }
    expect(array.map((one) => parse(one))).toEqual([
      { objectName: 'web-tls', objectType: 'secret', objectVersion: target.version },
    ])
    const pod = podOf(world.cluster.peek('Deployment', NAME))
    expect(pod).toMatchObject({
      securityContext: { runAsNonRoot: true },
      containers: [{ volumeMounts: [{ readOnly: true }] }],
      volumes: [{ csi: { readOnly: true, volumeAttributes: { secretProviderClass: NAME } } }],
    })
    expect(world.delivery).toMatchObject({
      state: 'waiting',
      reason: 'AwaitsDriver',
      written: target,
      objects: [
        { kind: 'SecretProviderClass', namespace: 'gateways', name: NAME },
        { kind: 'Deployment', namespace: 'gateways', name: NAME },
      ],
    })
    expect(world.delivery.heldSerial).toBeUndefined()
  })

  it('is done when the Secret holds the wanted serial', async () => {
    const first = await world.want()
    await world.deliver()
    await sync(first)
    world.later(10_000)
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget()).not.toContain('apply SecretProviderClass')
    expect(world.delivery).toMatchObject({ state: 'delivered', heldSerial: first.serial })
    world.later(10_000)
    const second = await world.want()
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', heldSerial: first.serial, written: second })
    await sync(second)
    world.later(10_000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'delivered', heldSerial: second.serial })
    expect(world.events()).toEqual(['certificate.delivered'])
    world.later(10_000)
    const { writes } = world.store
    await world.deliver()
    expect(world.store.writes).toBe(writes)
  })

  it('gives the gateway its time from the moment that the Secret holds it', async () => {
    const first = await world.want()
    world.addGateway('20.1.2.3')
    world.shown.set('20.1.2.3:443', 'beef')
    await world.deliver()
    world.later(240_000)
    await sync(first)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'Proving' })
    world.later(60_000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'Proving' })
    world.later(120_000)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'NotShownYet' })
  })

  it('is looked at again when the Secret goes, and not when the Pod comes and goes', async () => {
    const first = await world.want()
    await world.deliver()
    await sync(first)
    await world.deliver()
    world.later(1000)
    const resync = () => resyncDeliveries(world.deps, world.cluster, 'east')
    expect(await resync()).toEqual([])
    world.cluster.change('kube-controller-manager', 'Deployment', NAME, (object) => ({
      ...object,
      status: { readyReplicas: 1 },
    }))
    expect(await resync()).toEqual([])
    world.cluster.objects.delete(`v1/Secret/gateways/${SECRET}`)
    expect(await resync()).toEqual(['web-tls'])
  })

  it('that does not come says after ten minutes where to look', async () => {
    await world.want()
    await world.deliver()
    world.later(600_001)
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting', reason: 'DriverIsLate' })
    expect(world.delivery.message).toContain('cannot mount')
  })

  it('takes defaults that the server adds for what they are', async () => {
    await world.want()
    await world.deliver()
    world.cluster.change('kube-controller-manager', 'Deployment', NAME, (object) => {
      const pod = podOf(object)
      const containers = pod.containers.map((one) => ({ ...one, terminationMessagePath: '/dev/termination-log' }))
      const template = { ...(object.spec?.template as object), spec: { ...pod, containers, dnsPolicy: 'ClusterFirst' } }
      return { ...object, spec: { ...object.spec, template } }
    })
    world.later(10_000)
    world.cluster.forget()
    await world.deliver()
    expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual([])
  })

  it('needs the add-on, and its rotation', async () => {
    await world.want()
    world.clusterIs({ aks: aks() })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'SecretsProviderMissing' })
    world.clusterIs({ aks: aks({ rotation: false }) })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'SecretRotationOff' })
    expect(world.cluster.peek('SecretProviderClass', NAME)).toBeUndefined()
    world.clusterIs({ aks: aks({ rotation: true }) })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'waiting' })
  })

  it('needs the kind, where Azure was not asked about the cluster', async () => {
    await world.want()
    world.cluster.before = (request) => {
      if (!request.includes('SecretProviderClass')) return
      throw new PortError('not-found', 'Kubernetes east', 'no such kind', { reason: 'UnknownKind' })
    }
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'SecretsProviderMissing' })
  })

  it('leaves classes, Deployments and Secrets of others alone', async () => {
    await world.want()
    for (const kind of ['SecretProviderClass', 'Deployment', 'Secret']) {
      const [apiVersion = '', name = ''] = KINDS[kind] ?? []
      const metadata = { name, namespace: 'gateways' }
      world.cluster.edit('kubectl', { apiVersion, kind, metadata, spec: { mine: true } })
      await world.deliver()
      expect(world.cluster.peek(kind, name)?.spec).toEqual({ mine: true })
      expect(world.delivery.state).toBe('held')
      for (const key of world.cluster.objects.keys()) if (key.includes(`/${kind}/`)) world.cluster.objects.delete(key)
    }
  })

  it('takes no Secret that Meshwright wrote, and gives none of the driver to Meshwright', async () => {
    world.spec({ delivery: 'secret', csi: undefined })
    const target = await world.want()
    await world.deliver()
    world.spec({ delivery: 'csi', csi: CSI })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'DeliveryChanged' })
    expect(world.cluster.peek('SecretProviderClass', NAME)).toBeUndefined()
    world.cluster.objects.delete(`v1/Secret/gateways/${SECRET}`)
    await world.deliver()
    await sync(target)
    await world.deliver()
    expect(world.delivery.state).toBe('delivered')
    world.spec({ delivery: 'secret', csi: undefined })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'DeliveryChanged' })
  })

  it('is held by a freeze too', async () => {
    await world.want()
    world.freeze({ reason: 'holiday', scope: {}, covers: ['configuration'] })
    await world.deliver()
    expect(world.delivery).toMatchObject({ state: 'held', reason: 'FreezeActive' })
    expect(world.cluster.peek('SecretProviderClass', NAME)).toBeUndefined()
  })
})

const KINDS: Readonly<Record<string, readonly [string, string]>> = {
  SecretProviderClass: ['secrets-store.csi.x-k8s.io/v1', NAME],
  Deployment: ['apps/v1', NAME],
  Secret: ['v1', SECRET],
}

function podOf(object: KubeObject | undefined): { readonly containers: readonly object[] } {
  const template = object?.spec?.template as { readonly spec: { readonly containers: readonly object[] } }
  return template.spec
}
