/** A certificate or a mesh CA on its way through one decision, as far as waiting goes. */
interface Waiting {
  readonly document: { readonly dueAt?: string; readonly rotation?: { readonly askedUntil?: string } }
  /** Epoch milliseconds: when it is to be looked at again. */
  readonly lookAt?: number
}

/** Is it time for the next look that the document names? Others look too, and count as no attempt. */
export function isDue({ document }: Waiting, now: number): boolean {
  return document.dueAt === undefined || Date.parse(document.dueAt) <= now
}

/** Was the vault asked, and may it yet be doing it? A look that comes sooner asks for nothing. */
export function isAsked({ document: { rotation } }: Waiting, now: number): boolean {
  return rotation?.askedUntil !== undefined && Date.parse(rotation.askedUntil) > now
}

/** Looks again when the vault may be asked again. */
export function keepLease<Step extends Waiting>(step: Step, now: number): Step {
  const until = Date.parse(step.document.rotation?.askedUntil ?? '')
  return lookWithin(step, Number.isNaN(until) ? 0 : Math.max(0, until - now), now)
}

/** Looks again within `ms`: at the time that is set already, when that is sooner. */
export function lookWithin<Step extends Waiting>(step: Step, ms: number, now: number): Step {
  const set = step.document.dueAt === undefined ? Number.NaN : Date.parse(step.document.dueAt)
  const lookAt = set > now && set <= now + ms ? set : now + ms
  return { ...step, lookAt: Math.min(step.lookAt ?? lookAt, lookAt) }
}
