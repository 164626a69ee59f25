import { certificateSpec } from '../../../src/model/certificate.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { ConditionInput } from '../../../src/model/condition.ts'
import type {
  CertificateDocument,
  ClusterDocument,
  MeshCaDocument,
  PlacementDocument,
  ServiceDocument,
  TeamDocument,
} from '../../../src/model/documents.ts'
import type { Caller, Role } from '../../../src/model/identity.ts'
import { meshCaSpec } from '../../../src/model/mesh-ca.ts'
import type { OutboxEntry } from '../../../src/model/outbox.ts'
import type { RequestContext } from '../../../src/model/request.ts'
import { type ServiceSpec, serviceSpec } from '../../../src/model/service.ts'

/** When the documents of tests were written last. */
export const AT = '2026-05-01T10:00:00.000Z'
const BASE = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT } as const
const OWNED = { ...BASE, generation: 1, idempotency: [] } as const

export function spec(change: Readonly<Record<string, unknown>> = {}): ServiceSpec {
  return serviceSpec.parse({
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east', 'west'],
    ...change,
  })
}

/** shop/web with v1 stable on east and west. */
export function aService(change: Partial<ServiceDocument> = {}): ServiceDocument {
  return {
    ...OWNED,
    kind: 'service',
    namespace: 'shop',
    name: 'web',
    spec: spec(),
    renderRevision: 100,
    targets: { east: { stable: 'v1' }, west: { stable: 'v1' } },
    leaving: [],
    rollouts: [],
    ...change,
  }
}

export function aCluster(name: string, change: Partial<ClusterDocument> = {}): ClusterDocument {
  return {
    ...OWNED,
    kind: 'cluster',
    name,
    spec: clusterSpec.parse({ kubeconfig: { context: name }, metrics: { prometheus: { url: `http://${name}` } } }),
    observedGeneration: 1,
    conditions: [],
    mesh: { provider: 'istio', namespace: 'istio-system' },
    attempts: 0,
    ...change,
  }
}

/** web-tls, imported by other hands, on every cluster, with no version yet. */
export function aCertificate(change: Partial<CertificateDocument> = {}): CertificateDocument {
  return {
    ...OWNED,
    kind: 'certificate',
    name: 'web-tls',
    spec: certificateSpec.parse({
      purpose: 'gateway-tls',
      dnsNames: ['web.example.com'],
      clusters: { matchLabels: { env: 'prod' } },
      secret: { namespace: 'ingress', name: 'web-tls' },
      issuer: { kind: 'imported' },
      vault: 'https://shop.vault.azure.net',
    }),
    observedGeneration: 0,
    conditions: [],
    history: [],
    clusters: [],
    targets: {},
    leaving: [],
    revision: 100,
    warned: [],
    ...change,
  }
}

/** east-ca, with a root in the vault that is yet to be made. */
export function aMeshCa(change: Partial<MeshCaDocument> = {}): MeshCaDocument {
  return {
    ...OWNED,
    kind: 'mesh-ca',
    name: 'east-ca',
    spec: meshCaSpec.parse({ purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' } }),
    observedGeneration: 0,
    conditions: [],
    history: [],
    warned: { root: [], signer: [] },
    ...change,
  }
}

export function aTeam(change: Partial<TeamDocument['spec']> = {}, name = 'shop'): TeamDocument {
  return { ...OWNED, kind: 'team', name, spec: { namespaces: ['shop'], groups: [GROUP], ...change } }
}

/** shop/web on a cluster, live at a revision, with ready endpoints of both versions. */
export function aPlacement(cluster: string, change: Partial<PlacementDocument> = {}): PlacementDocument {
  return {
    ...BASE,
    kind: 'placement',
    service: 'shop/web',
    cluster,
    observedGeneration: 1,
    liveRevision: 102,
    appliedRevision: 102,
    liveAt: '2026-05-01T10:00:05.000Z',
    weights: { v1: 90, v2: 10 },
    rung: 'stored',
    versions: { v1: { ready: 2 }, v2: { ready: 2 } },
    conditions: [condition('Reachable', 'True', 'Answers')],
    objects: [],
    restores: [],
    attempts: 0,
    ...change,
  }
}

export function condition(
  type: string,
  status: ConditionInput['status'],
  reason: string,
  message = `${type} ${reason}`,
) {
  return { type, status, reason, message, lastTransitionTime: AT }
}

const GROUP = '11111111-1111-4111-8111-111111111111'

/** A person of team shop. */
export function aCaller(change: Partial<Caller> = {}): Caller {
  const roles: readonly Role[] = ['Mesh.Deployer']
  return { id: 'p1', name: 'Ada', kind: 'person', roles, groups: [GROUP], ...change }
}

export function by(change: Partial<RequestContext> = {}): RequestContext {
  return { caller: aCaller(), ...change }
}

/** Types of the events in an outbox. */
export function eventsIn(outbox: readonly OutboxEntry[]): readonly string[] {
  return outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event.type] : []))
}

/** `urgent reconcile east`, `urgent advance`: the work in an outbox. */
export function workIn(outbox: readonly OutboxEntry[]): readonly string[] {
  return outbox.flatMap((entry) => {
    if (entry.kind !== 'work') return []
    const { queue, message } = entry
    const about = 'cluster' in message ? message.cluster : 'found' in message ? message.found : undefined
    return [`${queue} ${message.kind}${about === undefined ? '' : ` ${about}`}`]
  })
}
