import type { AuditRecord } from '../../../src/model/audit.ts'
import type {
  ClusterDocument,
  FoundDocument,
  PlacementDocument,
  RolloutDocument,
  ServiceDocument,
  TurnDocument,
} from '../../../src/model/documents.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import type { Rollout } from '../../../src/model/rollout.ts'

const at = '2026-01-01T00:00:00.000Z'
const base = { schema: 1, outbox: [], createdAt: at, updatedAt: at } as const

export function serviceDocument(name: string, more: Partial<ServiceDocument> = {}): ServiceDocument {
  return {
    ...base,
    kind: 'service',
    namespace: 'shop',
    name,
    generation: 1,
    idempotency: [],
    renderRevision: 1_767_225_600,
    targets: { east: { stable: 'v1' } },
    leaving: [],
    rollouts: [],
    spec: {
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: { v1: { labels: { version: 'v1' } } },
      initialVersion: 'v1',
      clusters: ['east'],
      onDrift: 'restore',
      adopt: false,
    },
    ...more,
  }
}

export function clusterDocument(name: string, more: Partial<ClusterDocument> = {}): ClusterDocument {
  return {
    ...base,
    kind: 'cluster',
    name,
    generation: 1,
    observedGeneration: 0,
    idempotency: [],
    conditions: [],
    attempts: 0,
    spec: { kubeconfig: { context: name }, mode: 'manage', labels: {} },
    ...more,
  }
}

export function placementDocument(service: string, cluster: string): PlacementDocument {
  return {
    ...base,
    kind: 'placement',
    service,
    cluster,
    observedGeneration: 0,
    liveRevision: 0,
    weights: {},
    rung: 'none',
    versions: {},
    conditions: [],
    objects: [],
    restores: [],
    attempts: 0,
  }
}

/** Only what the store looks at: the rollout's id. */
export function rolloutDocument(service: string, id: string): RolloutDocument {
  return { ...base, kind: 'rollout', service, rollout: { id } as Rollout }
}

export function eventRecord(id: string, subject = 'services/shop/web'): EventRecord {
  return { id, type: 'service.changed', time: at, subject, actor: MESHWRIGHT, reason: 'Test', message: `event ${id}` }
}

export function auditRecord(id: string, subject: string, more: Partial<AuditRecord> = {}): AuditRecord {
  return { id, time: at, actor: MESHWRIGHT, action: 'test.put', subject, origin: { kind: 'rest' }, ...more }
}

export function foundDocument(more: Partial<FoundDocument>): FoundDocument {
  const nothing = { certificates: [], left: 0, unreadable: 0, warned: {}, attempts: 0 } as const
  const seen = { state: 'seen', reason: 'Read', message: 'Read.', lookedAt: at } as const
  return { ...base, kind: 'found', place: 'cluster', name: 'east', ...seen, ...nothing, ...more }
}

/** The turn of this suite, as the rotation `rotation` has it. */
export function turnDocument(rotation: string): TurnDocument {
  return { ...base, kind: 'turn', name: 'suite', ca: 'east-ca', cluster: 'east', rotation, at }
}
