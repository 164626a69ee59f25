import { createHash } from 'node:crypto'
import type { Issuer } from './issuer.ts'

/** What lay in a mounted object from a time on, in epoch milliseconds. */
export interface Version {
  readonly at: number
  readonly hash: string
}

/** One Pod of the identity controller. */
export interface Identity {
  /** Name of the Pod. */
  readonly pod: string
  /** Hash of the anchors that it read when it started, and never again. */
  readonly anchors: string
  /** Hash of the Secret that it looked at last. */
  readonly seen: string
  /** Undefined: it found nothing to sign with at its start, ended, and tries again. */
  readonly issuer?: Issuer
}

/** A Pod with a proxy. Times in epoch milliseconds. */
export interface PodProxy {
  /** `namespace/name`. */
  readonly pod: string
  /** When it was first seen. */
  readonly since: number
  /** Hash of the anchors that it started with. */
  readonly anchors: string
  /** When it asks for a leaf next. */
  readonly asksAt: number
  readonly leaf?: {
    readonly signer: string
    /** Hash of the PEM that comes with it. */
    readonly chain: string
    readonly notBefore: number
    readonly notAfter: number
  }
}

/** What the identity controllers and the proxies report from a time on. */
export interface LinkerdPoint {
  readonly at: number
  /** End of the issuer, by Pod of the identity controller; epoch milliseconds. */
  readonly issuers: Readonly<Record<string, number>>
  /** Connections that failed so far. */
  readonly failures: number
}

/** Pods are by uid. */
export interface LinkerdState {
  /** Anchors and chains by the SHA-256 of their text. */
  readonly texts: Readonly<Record<string, string>>
  readonly anchorVersions: readonly Version[]
  readonly secretVersions: readonly Version[]
  readonly identities: Readonly<Record<string, Identity>>
  readonly proxies: Readonly<Record<string, PodProxy>>
  readonly points: readonly LinkerdPoint[]
  readonly failures: number
  readonly log: readonly string[]
}

export const EMPTY: LinkerdState = {
  texts: {},
  anchorVersions: [],
  secretVersions: [],
  identities: {},
  proxies: {},
  points: [],
  failures: 0,
  log: [],
}

/** SHA-256 of a text, lower-case hex: how Linkerd tells anchors apart. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The versions with what lies there now; the newest last, ten at most. */
export function withVersion(versions: readonly Version[], hash: string, at: number): readonly Version[] {
  return versions.at(-1)?.hash === hash ? versions : [...versions, { at, hash }].slice(-10)
}

/** What a Pod that runs since `since` sees of a mounted object: the kubelet brings news after `mountMs`, and to a new Pod at once. */
export function seenBy(
  versions: readonly Version[],
  { since, now, mountMs }: { readonly since: number; readonly now: number; readonly mountMs: number },
): string | undefined {
  const known = versions.filter(({ at }) => at <= Math.max(since, now - mountMs))
  return (known.at(-1) ?? versions[0])?.hash
}
