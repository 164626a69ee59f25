import type { CertificateDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { isRotationOver } from '../model/rotation.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { isPortError } from '../ports/port-error.ts'
import { isPassing, type Trouble, troubleOf } from '../ports/vault-trouble.ts'
import type { CertificateDeps } from './deps.ts'
import { ROTATION_TAG, vaultNameOf, vaultPolicy } from './issue-policy.ts'
import type { VaultEffect } from './observations.ts'
import { openVault } from './observe.ts'
import { giveUp, LEASE_MS, type Step, withRotation } from './step.ts'
import { holdForTrouble } from './waiting.ts'

/** A process that was stopped for longer than this after its intent was stored does not ask any more: another may have. */
const STALE_MS = LEASE_MS / 2

/**
 * Asks the vault for what a decision wants, after its intent was stored at `storedAt` (epoch milliseconds). Undefined when it
 * was done; else what came in between. Throws what is no error of a port.
 */
export async function askVault(
  deps: CertificateDeps,
  document: CertificateDocument,
  effect: VaultEffect,
  storedAt: number,
): Promise<Trouble | undefined> {
  if (deps.clock.now() - storedAt > STALE_MS) return undefined
  const name = vaultNameOf(document)
  try {
    const vault = openVault(deps, document)
    if (effect.kind === 'create') {
      await vault.create(name, vaultPolicy(document.spec), { [ROTATION_TAG]: effect.rotation })
    } else if (effect.kind === 'merge') await vault.merge(name, effect.chain)
    else await vault.dropOperation(name)
    return undefined
  } catch (error) {
    if (effect.kind === 'drop' && isPortError(error, 'not-found')) return undefined
    return troubleOf(error)
  }
}

/** Stores that the vault did not do what it was asked: passing trouble waits, a refusal ends the rotation. */
export async function recordTrouble(
  deps: CertificateDeps,
  name: string,
  effect: VaultEffect,
  trouble: Trouble,
): Promise<Result<unknown>> {
  return changeDocument(deps.store, 'certificate', name, (stored): Result<Change<CertificateDocument, undefined>> => {
    const before = stored?.value
    const { rotation } = before ?? {}
    if (!before || !rotation || rotation.id !== effect.rotation || isRotationOver(rotation)) {
      return succeed({ kind: 'leave', value: undefined })
    }
    const now = deps.clock.now()
    const step = afterTrouble({ document: before, entries: [] }, effect, trouble, now)
    const lookAt = timestamp(Math.max(now, step.lookAt ?? now))
    const outbox = [...before.outbox, ...step.entries]
    const document = { ...step.document, dueAt: lookAt, outbox, updatedAt: timestamp(now) }
    return succeed({ kind: 'write', document, value: undefined })
  })
}

/** Conflicts that no waiting ends: the name lies deleted in the vault, or a key or secret of others has it. */
const NAME_IS_TAKEN = ['SoftDeleted', 'NameTaken']

/** Pure. An answer that did not come leaves the lease: the vault may yet be doing what it was asked. */
export function afterTrouble(step: Step, effect: VaultEffect, trouble: Trouble, now: number): Step {
  const { reason, message, kind } = trouble
  if (effect.kind === 'merge' && kind === 'invalid') {
    const words = `The vault refuses the chain: ${message} Hand in another one.`
    const { chain: _chain, ...rotation } = step.document.rotation ?? { chain: '' }
    const without = { ...step, document: { ...step.document, rotation } as Step['document'] }
    return withRotation({ ...without, lookAt: now + LEASE_MS }, { reason: 'ChainRefused', message: words }, now)
  }
  const isFinal = !isPassing(trouble) || NAME_IS_TAKEN.includes(reason)
  if (isFinal && effect.kind !== 'drop') return giveUp(step, reason, message, now)
  const held: Step =
    kind === 'unavailable'
      ? { ...withRotation(step, { reason, message }, now), lookAt: now + LEASE_MS }
      : holdForTrouble({ ...step, document: { ...step.document, dueAt: timestamp(now) } }, trouble, now)
  return withRotation(held, { askedUntil: timestamp(held.lookAt ?? now) }, now)
}
