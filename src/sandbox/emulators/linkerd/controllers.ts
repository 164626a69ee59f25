import { type IssuerTexts, readIssuer } from './issuer.ts'
import { textOf } from './proxies.ts'
import type { Identity, LinkerdState } from './state.ts'
import { hashOf, seenBy } from './state.ts'

/** What a controller tells of an issuer, as an event of its Deployment. */
export interface IssuerNews {
  readonly reason: 'IssuerUpdated' | 'IssuerUpdateSkipped'
  readonly message: string
}

/** What lies in the Secret, by the hash of both texts. Held in memory alone: one is a key. */
export interface SecretNow {
  readonly hash: string
  readonly texts: IssuerTexts
}

export function secretHash({ certificate, key }: IssuerTexts): string {
  return hashOf(JSON.stringify([certificate, key]))
}

/**
 * A Pod of the controller after a look at its mounts. At its start it reads the anchors, once, and the issuer, and ends when
 * they do not fit together: its next container reads both anew. Later it looks at the issuer when the kubelet brings another.
 */
export function runController(
  state: LinkerdState,
  pod: { readonly name: string; readonly since: number },
  before: Identity | undefined,
  secret: SecretNow,
  { now, mountMs }: { readonly now: number; readonly mountMs: number },
): { readonly identity: Identity; readonly news?: IssuerNews } {
  if (!before?.issuer) {
    const anchors = state.anchorVersions.at(-1)?.hash ?? ''
    const read = readIssuer(secret.texts, textOf(state, anchors), now)
    const identity = { pod: pod.name, anchors, seen: secret.hash }
    return { identity: read.ok ? { ...identity, issuer: read.issuer } : identity }
  }
  const visible = seenBy(state.secretVersions, { since: pod.since, now, mountMs })
  // A version that was replaced before the kubelet brought it was never seen.
  if (visible === before.seen || visible !== secret.hash) return { identity: before }
  const read = readIssuer(secret.texts, textOf(state, before.anchors), now)
  const seen = { ...before, seen: secret.hash }
  if (read.ok) {
    return {
      identity: { ...seen, issuer: read.issuer },
      news: { reason: 'IssuerUpdated', message: 'Updated identity issuer' },
    }
  }
  const message = `Skipping issuer update as certs could not be read from disk: ${read.why}`
  return { identity: seen, news: { reason: 'IssuerUpdateSkipped', message } }
}
