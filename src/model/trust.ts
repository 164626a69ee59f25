import type { RestartsState } from './restarts.ts'

/** Namespaces whose trust bundle holds the same roots. */
export interface TrustGroup {
  /** SHA-256 of each root's DER, lower-case hex, in order; empty: no readable root. */
  readonly roots: readonly string[]
  readonly namespaces: number
  /** Up to five of them. */
  readonly examples: readonly string[]
}

/**
 * Proxies that are no Pods of their workload, so that no start of a Pod tells how old their certificates are: `ambient`: ztunnel's;
 * `vms`: of WorkloadEntries. `none`. `unknown`: Meshwright may not see.
 */
export type OtherProxies = 'none' | 'ambient' | 'vms' | 'unknown'

/** What istiod's own log says of the last write of the vault. */
export interface IstiodWords {
  /** RFC 3339: the write, as `writtenAt` of the rotation. */
  readonly since: string
  /**
   * `taken`: every Pod of istiod said after the write that it took what it was given. `refused`: one refused it, and has taken
   * nothing after that. `silent`: not all said so yet. `unreadable`: the log of one cannot be read.
   */
  readonly state: 'taken' | 'refused' | 'silent' | 'unreadable'
  /** RFC 3339: when the last Pod said that it took it, or since when one refuses. */
  readonly at?: string
  /** The line, 300 characters at most; of `unreadable` why. */
  readonly line?: string
  /** `namespace/name` of the Pod whose line it is. */
  readonly pod?: string
}

/** Certificates that Pods showed in handshakes, in one round through all of them. */
export interface LeavesRound {
  /** RFC 3339: when it began, and when a Pod was asked last. */
  readonly since: string
  readonly at: string
  /** Serial of what is to sign them. */
  readonly wanted: string
  /** How far the rotation was when it began: `taken`, once every replica of istiod signs anew; `over`, a workload TTL later. */
  readonly begun: 'early' | 'taken' | 'over'
  readonly read: number
  /** Pods that showed none: no port, not reached, no certificate of the mesh. */
  readonly unread: number
  /** How many are of which signer, by its serial; `other`: of one that is not known. */
  readonly bySigner: Readonly<Record<string, number>>
  /** Up to five Pods, `namespace/name`, whose certificate is not of the wanted signer. */
  readonly others: readonly string[]
}

/** What reconcile saw of a mesh CA on its cluster. Only reconcile writes it. */
export interface TrustState {
  readonly ca: string
  readonly cluster: string
  /** `seen`: all that follows is as it was at `lookedAt`. `failed`: the cluster or its metrics do not answer, see `reason`. */
  readonly state: 'seen' | 'failed'
  /** CamelCase for machines. */
  readonly reason: string
  readonly message: string
  /** RFC 3339: when the look began. Written anew with every news, and once after `lookWantedAfter` of a live rotation, news or not. */
  readonly lookedAt?: string
  /** ConfigMaps `istio-ca-root-cert`, by what they hold; the largest group first, 20 at most. */
  readonly bundles: readonly TrustGroup[]
  /** Namespaces that ask for proxies, or have Pods with one, and have no such ConfigMap; up to five. */
  readonly without: readonly string[]
  /**
   * Pods with a sidecar of the mesh. `oldestStart`: RFC 3339 of the one that runs longest. `others`: who else holds certificates of
   * the mesh; only of Istio, and only while a rotation waits for proxies.
   */
  readonly pods: { readonly count: number; readonly oldestStart?: string; readonly others?: OtherProxies }
  /** What istiod says of itself in the cluster's metrics; absent: not known. RFC 3339. */
  readonly istiod?: { readonly chainNotAfter?: string; readonly rootNotAfter?: string }
  /** Of Istio, from the first look after a write of the vault on. */
  readonly words?: IstiodWords
  /** Of Istio, where handshakes are wanted: the last round that came to its end. */
  readonly leaves?: LeavesRound
  /** The round that is under way. `cursor`: uid of the Pod that was asked last, in the order of uids. */
  readonly leavesRound?: LeavesRound & { readonly cursor: string }
  /** Connections to Pods of the mesh that failed to be made, in the last window and in the one before it; absent: not known. */
  readonly failures?: { readonly now: number; readonly before: number }
  /**
   * Of Linkerd, whose proxies read their trust anchors when they start: Pods of the mesh without those of its control plane, by
   * the SHA-256 (lower-case hex) of the text of the anchors that they started with, as their annotation says; empty text: none.
   * 20 at most.
   */
  readonly anchors?: Readonly<Record<string, number>>
  /** Of Linkerd: Pods of its control plane. `oldestStart`: RFC 3339 of the one that runs longest. */
  readonly controlPlane?: { readonly count: number; readonly oldestStart?: string }
  /** Of Linkerd: what its identity controller said last of its issuer, as an event of the cluster; `at` is RFC 3339. */
  readonly issuerEvent?: {
    readonly reason: 'IssuerUpdated' | 'IssuerUpdateSkipped'
    readonly at: string
    readonly message: string
    /** The last refusal, where what was said last is none: another replica may have said that. */
    readonly skipped?: { readonly at: string; readonly message: string }
  }
  /**
   * Of Linkerd, in a live rotation: how long certificates of workloads live at most, in milliseconds, as the Deployment of its
   * identity controller says. The longest that was seen in this rotation; absent: not said, or not seen.
   */
  readonly issuanceLifetimeMs?: number
  /**
   * Of Linkerd: what lies on the cluster now, whoever put it there. PEM as it lies there, byte for byte, without a key.
   * `anchors`: key `ca-bundle.crt` of the ConfigMap. `issuer`: `tls.crt` or `crt.pem` of the Secret; absent: there is none.
   * Absent in a look that has `state: 'seen'`: there is no such ConfigMap, or it is empty.
   */
  readonly found?: { readonly anchors: string; readonly issuer?: string }
  /**
   * Of Linkerd: what reconcile brought there last, read back. `anchors`: SHA-256 of their text; `issuer`: fingerprint of the
   * first certificate. `at`: RFC 3339, when it came to be there, or was first seen there; anew when it was written again.
   * `anchorsAt`: the same of the anchors alone, which an issuer or marks that are written leave as it is; absent: as `at`.
   */
  readonly delivered?: {
    readonly revision: number
    readonly anchors: string
    readonly issuer: string
    readonly at: string
    readonly anchorsAt?: string
  }
  /** Of Linkerd: RFC 3339, when changes of another hand were undone in the last ten minutes. */
  readonly restores?: readonly string[]
  /** Of the rotation that restarts workloads, or of the last that did. */
  readonly restarts?: RestartsState
  /** Failed looks in a row; sets the backoff. */
  readonly attempts: number
}
