import { clusterSpec } from '../../../src/model/cluster.ts'
import type {
  CertificateDocument,
  HostDocument,
  PlacementDocument,
  ServiceDocument,
} from '../../../src/model/documents.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { type ReconcileOutcome, reconcilePlacement } from '../../../src/reconcile/reconcile-placement.ts'
import { settleHost } from '../../../src/services/hosts/settle-host.ts'
import { clusterDocument, serviceDocument, World } from './world.ts'

export const HOST = 'external/web.example.com'
export const GATEWAY_NAMESPACE = 'ingress'
const AT = '2026-05-01T10:00:00.000Z'

/** shop/web and shop/api on cluster east, which has a gateway `external`. */
export class HostsWorld extends World {
  constructor() {
    super()
    const gateways = { external: { namespace: GATEWAY_NAMESPACE, selector: { istio: 'gw' } } }
    const spec = clusterSpec.parse({ kubeconfig: { context: 'east' }, mesh: { gateways } })
    this.store.put(clusterDocument({ spec }))
    this.cluster.edit('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: GATEWAY_NAMESPACE } })
    this.addService('api')
    this.cluster.forget()
  }

  private addService(name: string): void {
    this.store.put(serviceDocument({ name }))
    const labels = { 'kubernetes.io/service-name': name }
    const endpoints = [{ conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'web-v1-0' } }]
    const metadata = { name: `${name}-1`, namespace: 'shop', labels }
    this.cluster.edit('kube', { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, endpoints })
  }

  /** What PUT of a service with these exposures leaves behind; the host has yet to be settled. */
  expose(name: string, ...exposure: readonly Readonly<Record<string, unknown>>[]): void {
    const before = this.store.peek('service', `shop/${name}`) as ServiceDocument
    const all = exposure.map((one) => ({ host: 'web.example.com', ...one }))
    this.store.put({
      ...before,
      spec: serviceSpec.parse({ ...before.spec, exposure: all }),
      generation: before.generation + 1,
      renderRevision: before.renderRevision + 1,
    })
  }

  async claim(name: string): Promise<void> {
    const settled = await settleHost(this.deps, { host: HOST, service: `shop/${name}` })
    if (!settled.ok) throw new Error(settled.failure.detail)
  }

  async pass(key: string): Promise<ReconcileOutcome> {
    return reconcilePlacement(this.deps, { service: key, cluster: 'east' })
  }

  /** Passes over a service or host, as its placement asks, until it is live, gone or held up for good. */
  async settled(key: string, limit = 12): Promise<ReconcileOutcome> {
    let outcome = await this.pass(key)
    for (let pass = 1; outcome.again !== undefined && pass < limit; pass += 1) {
      this.clock.at = Math.max(this.clock.at, Date.parse(outcome.again))
      outcome = await this.pass(key)
    }
    return outcome
  }

  get host(): HostDocument {
    const found = this.store.peek('host', HOST)
    if (!found) throw new Error('no host')
    return found
  }

  get hostPlacement(): PlacementDocument | undefined {
    return this.store.peek('placement', `${HOST}/east`)
  }

  /** `/a → api.exposed.…`, in the order in which a gateway tries them. */
  get routes(): readonly string[] {
    const root = this.root
    const http = (root?.spec?.http ?? []) as { match?: { uri: Record<string, string> }[]; delegate: { name: string } }[]
    return http.map(({ match, delegate }) => {
      const paths = match?.map(({ uri }) =>
        Object.entries(uri)
          .map(([kind, path]) => `${kind} ${path}`)
          .join(),
      )
      return `${paths?.join(' or ') ?? 'all'} → ${delegate.name.split('.')[0]}`
    })
  }

  get root(): KubeObject | undefined {
    return this.cluster.peek('VirtualService', 'external.web.example.com')
  }

  get gateway(): KubeObject | undefined {
    return this.cluster.peek('Gateway', 'external.web.example.com')
  }

  delegates(name: string): readonly KubeObject[] {
    return [...this.cluster.objects.values()].filter(
      ({ kind, metadata }) => kind === 'VirtualService' && metadata.name.startsWith(`${name}.exposed.`),
    )
  }

  /** Certificate web-tls, registered for the host; delivered to the cluster when `isThere`. */
  addCertificate(isThere: boolean): void {
    const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT } as const
    const spec = { secret: { namespace: GATEWAY_NAMESPACE, name: 'web-tls-secret' } } as CertificateDocument['spec']
    const certificate = {
      ...base,
      kind: 'certificate',
      name: 'web-tls',
      spec,
      clusters: ['east'],
      targets: {},
      leaving: [],
    }
    this.store.put(certificate as unknown as CertificateDocument)
    if (!isThere) return
    this.store.put({
      ...base,
      kind: 'delivery',
      certificate: 'web-tls',
      cluster: 'east',
      state: 'delivered',
      reason: 'Delivered',
      message: '',
      heldSerial: 'ab',
      objects: [],
      attempts: 0,
    })
  }

  hostCondition(type: string): string | undefined {
    const found = this.hostPlacement?.conditions.find((condition) => condition.type === type)
    return found && `${found.status} ${found.reason}`
  }
}
