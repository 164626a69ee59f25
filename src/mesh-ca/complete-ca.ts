import { rootsOf } from '../authority/trust.ts'
import { auditEntry } from '../model/audit-entry.ts'
import type { CaRotation } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { durationMs, timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { rotateCaWork } from './ca-work.ts'
import { certificatesOf } from './certificate-texts.ts'
import type { MeshCaDeps } from './deps.ts'

/** What another CA handed out: PEM, the intermediate first; and its root, where that is to be trusted anew. */
export interface CaReply {
  readonly chain: string
  readonly root?: string
}

/**
 * Takes what another CA made of the CSR. It is checked here, against the CSR's key and all that the mesh and its proxies want of a
 * chain, and stored; nothing of it reaches the vault before. The same again changes nothing.
 */
export async function completeCa(
  deps: Pick<MeshCaDeps, 'store' | 'clock'>,
  name: string,
  reply: CaReply,
  context: RequestContext,
): Promise<Result<MeshCaDocument>> {
  const changed = await changeDocument(
    deps.store,
    'mesh-ca',
    name,
    async (stored): Promise<Result<Change<MeshCaDocument, undefined>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no certificate ${name}.`)
      const { rotation } = before
      if (rotation?.phase !== 'awaiting-issuer' || rotation.csr === undefined) {
        if (rotation && before.spec.root.kind === 'external' && isHandedIn(rotation, reply))
          return succeed({ kind: 'leave', value: undefined })
        return fail('Conflict', `Certificate ${name} does not wait for a CA.`, {
          hint: 'GET the certificate: it waits while phase is awaiting-issuer, and shows the CSR then.',
        })
      }
      const now = deps.clock.now()
      const root = rootFor(rotation, reply.root)
      if (!root.ok) return root
      const checked = await check(before, rotation, reply.chain, root.value?.pem, now)
      if (!checked.ok) return checked
      if (rotation.chain === checked.value) return succeed({ kind: 'leave', value: undefined })
      const next = { ...rotation, chain: checked.value, ...(root.value ? { root: root.value } : {}) }
      return succeed({ kind: 'write', document: taken(before, next, context, now), value: undefined })
    },
  )
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  return document ? succeed(document) : fail('NotFound', `There is no certificate ${name}.`)
}

/** The same again, because its answer was lost, while the rotation went on with it. */
function isHandedIn({ chain, written }: CaRotation, reply: CaReply): boolean {
  const taken = chain ?? written?.certChain ?? ''
  return taken !== '' && certificatesOf(reply.chain).map(withLineEnd).join('').startsWith(taken)
}

/** The root that is to be trusted: given with a rotation of the root, and only with that. */
function rootFor({ what, from }: CaRotation, pem: string | undefined): Result<CaRotation['root']> {
  if (what === 'intermediate') {
    return pem === undefined
      ? succeed(undefined)
      : refused('/root', 'is for a rotation of the root only: the present root stays')
  }
  if (pem === undefined) return refused('/root', 'is required: the root that signed the chain')
  const [only, ...others] = certificatesOf(pem)
  const roots = rootsOf(pem)
  const [certificate] = roots.ok ? roots.value : []
  if (only === undefined || !certificate || others.length > 0) return refused('/root', 'must be one certificate in PEM')
  if (from?.roots.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) {
    return refused('/root', 'is trusted already: rotate the intermediate, or hand in another root')
  }
  return succeed({ certificate, pem: withLineEnd(only) })
}

/** In workload TTLs: how long the chain has to last when it is handed in. A new root is trusted for one before its CA signs. */
const LIFETIMES = { intermediate: 2, root: 3 } as const

/** The chain as it is to be written, without the root at its end. */
async function check(
  { spec }: MeshCaDocument,
  { csr = '', from, what }: CaRotation,
  chain: string,
  root: string | undefined,
  now: number,
): Promise<Result<string>> {
  const [{ checkReply }, { checkRoot }] = await Promise.all([
    import('../authority/check-reply.ts'),
    import('../authority/root-texts.ts'),
  ])
  const roots = root ?? from?.rootCert ?? ''
  const { purpose } = spec
  const rules = { purpose, now, minimumLifetimeMs: LIFETIMES[what] * durationMs(spec.workloadTtl), roots }
  const ofRoot = root === undefined ? [] : checkRoot(root, rules)
  const problems = [...ofRoot, ...checkReply(csr, chain, rules)]
  if (problems.length > 0) {
    const errors = problems.map(({ part, message }) => ({
      pointer: part === 'rootCert' ? '/root' : '/chain',
      reason: message,
    }))
    return fail('InvalidCombination', 'The chain cannot be taken.', { errors })
  }
  const read = rootsOf(roots)
  const trusted = new Set(read.ok ? read.value.map(({ fingerprint }) => fingerprint) : [])
  const isRoot = (pem: string) => {
    const facts = rootsOf(pem)
    return facts.ok && facts.value.some(({ fingerprint }) => trusted.has(fingerprint))
  }
  return succeed(
    certificatesOf(chain)
      .filter((pem) => !isRoot(pem))
      .map(withLineEnd)
      .join(''),
  )
}

function withLineEnd(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`
}

function refused(pointer: string, reason: string): ReturnType<typeof fail> {
  return fail('InvalidCombination', 'What the CA handed out cannot be taken.', { errors: [{ pointer, reason }] })
}

function taken(before: MeshCaDocument, next: CaRotation, context: RequestContext, now: number): MeshCaDocument {
  const time = timestamp(now)
  const { chain, root } = next
  const audit = auditEntry({
    action: 'certificate.complete',
    subject: `certificates/${before.name}`,
    unique: `${next.id}.${time}`,
    time,
    context,
    after: { rotation: next.id, chain, ...(root ? { root: root.pem } : {}) },
  })
  const outbox = [...before.outbox, audit, rotateCaWork(before.name, `complete.${time}`)]
  const rotation = {
    ...next,
    reason: 'Completed',
    message: 'The chain that the CA signed is here, and passed its checks.',
  }
  return { ...before, rotation, outbox, dueAt: time, updatedAt: time }
}
