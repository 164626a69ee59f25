import type { CertificateDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { askVault, recordTrouble } from './ask-vault.ts'
import { decideRotation } from './decide-rotation.ts'
import type { CertificateDeps } from './deps.ts'
import type { VaultEffect } from './observations.ts'
import { observe } from './observe.ts'

/** Looks a message may cost; what is left to do then is asked for by the document. */
const MOST_LOOKS = 8

interface Pass {
  readonly effect?: VaultEffect
  /** Epoch milliseconds at which it was seen what the effect follows from. */
  readonly at: number
  /** There is something to do at once. */
  readonly more: boolean
}

/**
 * Looks at a certificate and takes the next step of its rotation: observe, decide, one conditional write, then at most one
 * request to the vault; as often as there is something to do at once. Safe to call at any time and by several at once:
 * when nothing is due it writes nothing. Throws PortError when the store cannot be reached: the message comes again.
 */
export async function advanceCertificate(
  deps: CertificateDeps,
  name: string,
  session?: string,
): Promise<Result<undefined>> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    const changed = await changeDocument(
      deps.store,
      'certificate',
      name,
      (stored) => pass(deps, stored?.value),
      session,
    )
    if (!changed.ok) return changed
    const { effect, at, more } = changed.value.value
    const document = changed.value.stored?.value
    if (effect && document) {
      const trouble = await askVault(deps, document, effect, at)
      if (trouble) {
        const recorded = await recordTrouble(deps, name, effect, trouble)
        return recorded.ok ? succeed(undefined) : recorded
      }
    } else if (!more) break
  }
  return succeed(undefined)
}

async function pass(
  deps: CertificateDeps,
  before: CertificateDocument | undefined,
): Promise<Result<Change<CertificateDocument, Pass>>> {
  const at = deps.clock.now()
  if (!before) return succeed({ kind: 'leave', value: { at, more: false } })
  const decision = decideRotation(before, await observe(deps, before))
  if (decision.kind === 'remove') return succeed({ kind: 'remove', value: { at, more: false } })
  if (decision.kind === 'leave') return succeed({ kind: 'leave', value: { at, more: false } })
  const { document, effect } = decision
  const more = document.dueAt !== undefined && Date.parse(document.dueAt) <= deps.clock.now()
  return succeed({ kind: 'write', document, value: { at, more, ...(effect ? { effect } : {}) } })
}
