import { spreadMs } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { type Ends, leadMs, lifetimeMs, passedMarks, WARNING_DAYS, type Warning } from '../model/expiry.ts'
import type { CaCertificate, CaSet, MeshCaSpec } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'

const DAY_MS = 86_400_000

/** A new one is wanted in the last two thirds of the life at the earliest. */
const MOST_LEAD = 2 / 3
/** What is left of the time that workloads need is given to people, at most: a day for a signer, two for a root. */
const SPARE_PART = 1 / 6

type LeadSpec = Pick<MeshCaSpec, 'renewBefore' | 'workloadTtl'>

/**
 * How long before its end the next signer is wanted, in milliseconds: as the spec says, but never so late that workloads
 * would still hold leaves of it when it ends.
 */
export function signerLeadMs(spec: LeadSpec, signer: Ends): number {
  return atLeast(leadMs(spec, signer), renewalMs(spec), DAY_MS, signer)
}

/** How long before its end the next root is wanted, in milliseconds: a third of its life, and time for two renewals of all. */
export function rootLeadMs(spec: LeadSpec, root: Ends): number {
  return atLeast(lifetimeMs(root) / 3, 2 * renewalMs(spec), 2 * DAY_MS, root)
}

/** In which every workload is renewed, in milliseconds. */
export function renewalMs({ workloadTtl }: Pick<LeadSpec, 'workloadTtl'>): number {
  const ttlMs = durationMs(workloadTtl)
  return ttlMs + spreadMs(ttlMs)
}

function atLeast(leadMs: number, neededMs: number, spareMs: number, what: Ends): number {
  const lifetime = lifetimeMs(what)
  const needed = neededMs + Math.min(spareMs, lifetime * SPARE_PART)
  return Math.min(Math.max(leadMs, needed), lifetime * MOST_LEAD)
}

/** The root that what signs rests on; where none can be told, the one that ends first. */
export function rootInUse(set: CaSet): CaCertificate | undefined {
  const { roots, base } = set
  return (
    roots.find(({ fingerprint }) => fingerprint === base) ??
    roots.toSorted((one, other) => (one.notAfter < other.notAfter ? -1 : 1))[0]
  )
}

export interface DueCa {
  readonly what: 'intermediate' | 'root'
  /** Epoch milliseconds. */
  readonly at: number
  readonly message: string
}

/**
 * What is rotated next by itself: the root, with which the signer is made anew, before the signer alone. A root that another
 * CA makes is for people to begin: warnings tell them. Where a rotation of the root did not succeed, a signer that is due at
 * `now` (epoch milliseconds) does not wait for it.
 */
export function nextDue(
  { spec, history }: Pick<MeshCaDocument, 'spec' | 'history'>,
  current: CaSet,
  now = Number.NEGATIVE_INFINITY,
): DueCa {
  const { signer } = current
  // One that is due when it comes must not be followed at once, on and on.
  const lastAt = history.find(({ phase }) => phase === 'succeeded')?.startedAt
  const notBefore = (what: Ends) =>
    lastAt === undefined ? 0 : Date.parse(lastAt) + Math.min(DAY_MS, lifetimeMs(what) / 3)
  const due = (what: DueCa['what'], one: CaCertificate, leadMs: number): DueCa => ({
    what,
    at: Math.max(Math.floor(Date.parse(one.notAfter) - leadMs), notBefore(one)),
    message: `${what === 'root' ? 'Root' : 'Intermediate'} ${one.serial} ends at ${one.notAfter}.`,
  })
  const ofSigner = due('intermediate', signer, signerLeadMs(spec, signer))
  const root = spec.root.kind === 'external' ? undefined : rootInUse(current)
  if (!root) return ofSigner
  const ofRoot = due('root', root, rootLeadMs(spec, root))
  const [last] = history
  const isStuck = last?.what === 'root' && last.phase !== 'succeeded'
  return ofRoot.at <= ofSigner.at && !(isStuck && ofSigner.at <= now) ? ofRoot : ofSigner
}

/** Which marks before the end of the signer, or of the root that it rests on, are passed. */
export function caWarning(
  document: MeshCaDocument,
  current: CaSet,
  what: 'root' | 'signer',
  now: number,
): (Warning & { readonly certificate: CaCertificate }) | undefined {
  const certificate = what === 'signer' ? current.signer : rootInUse(current)
  if (!certificate) return undefined
  const lead = what === 'signer' ? signerLeadMs(document.spec, certificate) : rootLeadMs(document.spec, certificate)
  return { ...passedMarks(WARNING_DAYS, certificate, lead, document.warned[what], now), certificate }
}
