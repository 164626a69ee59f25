import type { AuditRecord } from './audit.ts'
import type { EventRecord } from './event.ts'

/** What a worker is asked to do. A message only names a key: the worker acts on the document that it reads. */
export type WorkMessage = Work & {
  /** W3C traceparent of who sent it: its work belongs to that trace. */
  readonly trace?: string
  /** RFC 3339: it is handed out up to two seconds early, and its worker waits for the rest. */
  readonly notBefore?: string
}

type Work =
  /** Bring one service on one cluster to what its document says. */
  | { readonly kind: 'reconcile'; readonly service: string; readonly cluster: string; readonly session?: string }
  /** Look at the live rollouts of a service and take the next step of each that is due. */
  | { readonly kind: 'advance'; readonly service: string; readonly session?: string }
  /** Connect to a cluster, detect its mesh, set its conditions. `record`: and write when it was, though nothing is new. */
  | { readonly kind: 'probe'; readonly cluster: string; readonly record?: boolean; readonly session?: string }
  /** Compare what is on a cluster with what was applied; reconcile what differs. */
  | { readonly kind: 'resync'; readonly cluster: string; readonly session?: string }
  /**
   * Find the services whose clusters are chosen by label and give each its clusters anew; take up policies that are behind.
   * `gateways`: and look at the cluster's hosts again.
   */
  | { readonly kind: 'select'; readonly cluster: string; readonly gateways?: boolean; readonly session?: string }
  /** Take a policy on its way to services. */
  | { readonly kind: 'spread'; readonly policy: string; readonly session?: string }
  /** Take a change of a service's own words on its way from cluster to cluster. */
  | { readonly kind: 'wave'; readonly service: string; readonly session?: string }
  /** Find out what a service holds of a host, and bring the host's clusters to it. Without a service: forget what was reserved too long ago. */
  | { readonly kind: 'host'; readonly host: string; readonly service?: string; readonly session?: string }
  /** Look at a certificate and take the next step of its rotation. */
  | { readonly kind: 'rotate'; readonly certificate: string; readonly session?: string }
  /** Bring one certificate on one cluster to what its document wants there. */
  | { readonly kind: 'deliver'; readonly certificate: string; readonly cluster: string; readonly session?: string }
  /** Look at a mesh CA and take the next step of its rotation. */
  | { readonly kind: 'rotate-ca'; readonly ca: string; readonly session?: string }
  /** See what a cluster trusts, and whether its proxies have been renewed. */
  | { readonly kind: 'trust'; readonly ca: string; readonly session?: string }
  /** Look at a place (`cluster/east`) for certificates, also those that nobody registered. */
  | { readonly kind: 'watch'; readonly found: string; readonly session?: string }
  /** Send a notification to the channels that it still has to reach. */
  | { readonly kind: 'notify'; readonly notification: string; readonly session?: string }
  /** Carry out what a chat message or an alert asked for. */
  | { readonly kind: 'command'; readonly command: string; readonly session?: string }
  /** Send on what a document's outbox still holds. */
  | {
      readonly kind: 'relay'
      readonly document: { readonly kind: string; readonly key: string }
      readonly session?: string
    }

/** `urgent`: abort, roll back, steps, commands. `lifecycle`: what asks something of a vault. `work`: everything else. */
export type QueueName = 'urgent' | 'work' | 'lifecycle'

/** What must follow a document's write. Ids are deterministic, so that doing one twice is doing it once. */
export type OutboxEntry =
  | { readonly id: string; readonly kind: 'event'; readonly event: EventRecord }
  | { readonly id: string; readonly kind: 'audit'; readonly record: AuditRecord }
  | {
      readonly id: string
      readonly kind: 'work'
      readonly queue: QueueName
      readonly message: WorkMessage
      /** RFC 3339; not before this time. */
      readonly notBefore?: string
    }
  /** An ended rollout is copied into a document of its own. `value` is a RolloutDocument. */
  | { readonly id: string; readonly kind: 'archive'; readonly key: string; readonly value: unknown }
