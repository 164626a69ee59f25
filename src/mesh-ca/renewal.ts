import type { MeshCaDocument } from '../model/documents.ts'
import { type Ends, leadMs, lifetimeMs, passedMarks, WARNING_DAYS, type Warning } from '../model/expiry.ts'
import type { CaCertificate, CaSet } from '../model/mesh-ca.ts'

const DAY_MS = 86_400_000

/** How long before its end the next root is wanted. */
export function rootLeadMs(root: Ends): number {
  return lifetimeMs(root) / 3
}

/** The root that ends first. */
export function firstRoot({ roots }: Pick<CaSet, 'roots'>): CaCertificate | undefined {
  return roots.toSorted((one, other) => (one.notAfter < other.notAfter ? -1 : 1))[0]
}

export interface DueCa {
  readonly what: 'intermediate' | 'root'
  /** Epoch milliseconds. */
  readonly at: number
  readonly message: string
}

/** What is rotated next by itself: the root, with which the signer is made anew, before the signer alone. */
export function nextDue({ spec, history }: Pick<MeshCaDocument, 'spec' | 'history'>, current: CaSet): DueCa {
  const { signer } = current
  const root = firstRoot(current)
  // One that is due when it comes must not be followed at once, on and on.
  const lastAt = history.find(({ phase }) => phase === 'succeeded')?.startedAt
  const notBefore = (what: Ends) =>
    lastAt === undefined ? 0 : Date.parse(lastAt) + Math.min(DAY_MS, lifetimeMs(what) / 3)
  const due = (what: DueCa['what'], one: CaCertificate, leadMs: number): DueCa => ({
    what,
    at: Math.max(Math.floor(Date.parse(one.notAfter) - leadMs), notBefore(one)),
    message: `${what === 'root' ? 'Root' : 'Intermediate'} ${one.serial} ends at ${one.notAfter}.`,
  })
  const ofSigner = due('intermediate', signer, leadMs(spec, signer))
  const ofRoot = root && due('root', root, rootLeadMs(root))
  return ofRoot && ofRoot.at <= ofSigner.at ? ofRoot : ofSigner
}

/** Which marks before the end of the signer, or of the root that ends first, are passed. */
export function caWarning(
  document: MeshCaDocument,
  current: CaSet,
  what: 'root' | 'signer',
  now: number,
): (Warning & { readonly certificate: CaCertificate }) | undefined {
  const certificate = what === 'signer' ? current.signer : firstRoot(current)
  if (!certificate) return undefined
  const lead = what === 'signer' ? leadMs(document.spec, certificate) : rootLeadMs(certificate)
  return { ...passedMarks(WARNING_DAYS, certificate, lead, document.warned[what], now), certificate }
}
