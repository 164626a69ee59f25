import type { KubeObject } from '../../model/kube.ts'
import { timestamp } from '../../model/names.ts'
import type { TrustState } from '../../model/trust.ts'

type IssuerEvent = NonNullable<TrustState['issuerEvent']>

/**
 * What the identity controller said last of its issuer (`pkg/identity/service.go`); undefined: nothing, or it was forgotten, as
 * clusters forget events after an hour. Of two in one second the one that was written later. Its events do not name the Pod that
 * said it, so a refusal before it is told too: several replicas do not agree.
 */
export function lastIssuerEvent(events: readonly KubeObject[]): IssuerEvent | undefined {
  const said = events.flatMap((event) => {
    const reason = reasonOf(event.reason)
    const at = lastSeen(event)
    const message = typeof event.message === 'string' ? event.message : ''
    return reason && Number.isFinite(at) ? [{ reason, at, message, written: writtenOf(event) }] : []
  })
  const [last, ...others] = said.sort((one, other) => other.at - one.at || other.written - one.written)
  if (!last) return undefined
  const skip = last.reason === 'IssuerUpdated' ? others.find(({ reason }) => reason !== last.reason) : undefined
  const skipped = skip ? { skipped: { at: timestamp(skip.at), message: skip.message } } : {}
  return { reason: last.reason, at: timestamp(last.at), message: last.message, ...skipped }
}

function reasonOf(reason: unknown): IssuerEvent['reason'] | undefined {
  return reason === 'IssuerUpdated' || reason === 'IssuerUpdateSkipped' ? reason : undefined
}

/** Events that repeat are one object, counted: it was said last when that changed. */
function lastSeen(event: KubeObject): number {
  const { lastTimestamp, eventTime, series } = event
  const observed = (series as { readonly lastObservedTime?: unknown } | null | undefined)?.lastObservedTime
  const times = [lastTimestamp, eventTime, observed].map((time) => (typeof time === 'string' ? Date.parse(time) : NaN))
  const known = times.filter(Number.isFinite)
  return known.length > 0 ? Math.max(...known) : Date.parse(event.metadata.creationTimestamp ?? '')
}

function writtenOf({ metadata }: KubeObject): number {
  return Number(metadata.resourceVersion ?? 0) || 0
}
