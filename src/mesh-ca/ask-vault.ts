import type { CaRotation } from '../model/ca-rotation.ts'
import { isCaRotationOver, pendingKeyName } from '../model/ca-rotation.ts'
import type { ClusterDocument, MeshCaDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/port-error.ts'
import { isPassing, type Trouble, troubleOf } from '../ports/vault-trouble.ts'
import { type MeshCaDeps, openCaVault, rootKeyName } from './deps.ts'
import { makeRequest, makeRootCertificate } from './make-certificates.ts'
import type { CaEffect, CaWrite } from './observations.ts'
import { putBackFirst } from './put-back.ts'
import { isOf, tagsOf } from './read-vault.ts'
import { type CaStep, end, LEASE_MS, WRITE_LEASE_MS, withRotation } from './step.ts'
import { holdAndTell, holdForTrouble } from './waiting.ts'
import { PEM, type WriteScene } from './write-scene.ts'
import { writeSecrets } from './write-secrets.ts'

/** No request begins so late in a lease that it could end after it. */
const LAST_REQUEST_MS = LEASE_MS - 45_000
/**
 * A request is given up after 10 s, and has come through 20 s after that, or never will: so nothing is put back that late in the
 * lease of a write, and nothing more is written when there is no time left to put it back.
 */
const LAST_PUT_BACK_MS = WRITE_LEASE_MS - 30_000
const LAST_SECRET_MS = LAST_PUT_BACK_MS - 15_000
/** A request whose answer was lost has come through by then, or never will. */
const LOST_MS = 20_000

/**
 * What came of it: what the rotation is to record, or why it was not done. `torn`: a part of a write is in the vault, or may be.
 */
export type Asked = { readonly record: Partial<CaRotation> } | { readonly trouble: Trouble; readonly torn: boolean }

/**
 * Asks the vault for what a decision wants, after its intent was stored at `storedAt` (epoch milliseconds). Throws what is no
 * error of a port. Keys are in memory for as long as this lasts, and nowhere else but in the vault.
 */
export async function askVault(
  deps: MeshCaDeps,
  document: MeshCaDocument,
  effect: CaEffect,
  storedAt: number,
): Promise<Asked> {
  const { rotation, spec } = document
  if (!rotation) return { record: {} }
  const within = (ms: number) => () => {
    if (deps.clock.now() - storedAt <= ms) return
    throw new PortError('unavailable', 'mesh CA', 'It took too long: it is looked at anew.', { reason: 'LeaseOver' })
  }
  const isWrite = effect.kind === 'write' || effect.kind === 'put-back'
  const mayAsk = within(effect.kind === 'write' ? LAST_SECRET_MS : LAST_REQUEST_MS)
  const mayPutBack = within(LAST_PUT_BACK_MS)
  try {
    mayAsk()
    const cluster: ClusterDocument | undefined = (await deps.store.read('cluster', spec.cluster))?.value
    const vault = openCaVault(deps, document, cluster)
    const { clock, random } = deps
    return await asked({ vault, document, rotation, now: clock.now(), random, mayAsk, mayPutBack }, effect, clock)
  } catch (error) {
    return { trouble: troubleOf(error), torn: isWrite }
  }
}

async function asked(scene: WriteScene, effect: CaEffect, clock: Clock): Promise<Asked> {
  switch (effect.kind) {
    case 'make-root':
      return { record: { root: await makeRoot(scene) } }
    case 'request':
      return { record: { csr: await request(scene) } }
    case 'put-back':
      await putBackFirst(scene)
      // Nobody waits for the end of the lease: what was held up goes on.
      return { record: { askedUntil: timestamp(clock.now()) } }
    case 'write':
      return write(scene, effect)
  }
}

async function write(scene: WriteScene, effect: CaWrite): Promise<Asked> {
  const written = await writeSecrets(scene, effect)
  return written.kind === 'written' ? { record: {} } : { trouble: troubleOf(written.error), torn: written.torn }
}

/** The key that this rotation made already, or a new one; and its certificate. */
async function makeRoot({ vault: { keys }, document, rotation, now, random, mayAsk }: WriteScene) {
  const name = rootKeyName(document.name, document.spec)
  const newest = await keys.key(name)
  mayAsk()
  const hsm = document.spec.root.kind === 'vault-key' && document.spec.root.hsm
  const isMade = newest?.enabled && isOf(newest.tags, rotation)
  const curve = document.spec.purpose === 'linkerd-identity' ? 'P-256' : 'P-384'
  const key = isMade ? newest : await keys.createKey(name, { curve, hsm, tags: preparedBy(rotation) })
  mayAsk()
  return makeRootCertificate(keys, key, document, rotation.id, { now, random })
}

/** The request of the key that waits already, or of a new one. */
async function request({ vault: { secrets, names }, document, rotation, mayAsk }: WriteScene): Promise<string> {
  const name = pendingKeyName(names.caKey)
  const waiting = await secrets.readSecret(name)
  const present = waiting && isOf(waiting.tags, rotation) ? waiting.value : undefined
  const { caKey, csr } = await makeRequest(document, rotation.id, present)
  mayAsk()
  if (present === undefined) await secrets.setSecret(name, caKey, { tags: preparedBy(rotation), contentType: PEM })
  return csr
}

function preparedBy({ id }: CaRotation) {
  return tagsOf({ rotation: id, phase: 'preparing', direction: 'on' })
}

/** Stores what came of what the vault was asked, if the rotation is still where it was. */
export async function recordAsked(
  deps: MeshCaDeps,
  name: string,
  asked: { readonly effect: CaEffect; readonly phase: string; readonly direction: string },
  outcome: Asked,
): Promise<Result<unknown>> {
  return changeDocument(deps.store, 'mesh-ca', name, (stored): Result<Change<MeshCaDocument, undefined>> => {
    const before = stored?.value
    const { rotation } = before ?? {}
    const isSame =
      rotation?.id === asked.effect.rotation && rotation.phase === asked.phase && rotation.direction === asked.direction
    if (!before || !rotation || !isSame || isCaRotationOver(rotation))
      return succeed({ kind: 'leave', value: undefined })
    const now = deps.clock.now()
    const step =
      'trouble' in outcome
        ? afterTrouble({ document: before, entries: [] }, outcome, now)
        : recorded(before, outcome.record, now)
    const lookAt = timestamp(Math.max(now, step.lookAt ?? now))
    const document = {
      ...step.document,
      dueAt: lookAt,
      outbox: [...before.outbox, ...step.entries],
      updatedAt: timestamp(now),
    }
    return succeed({ kind: 'write', document, value: undefined })
  })
}

function recorded(before: MeshCaDocument, record: Partial<CaRotation>, now: number): CaStep {
  const { root } = record
  const made = root?.keyId === undefined ? {} : { [root.certificate.fingerprint]: root.keyId }
  // Of roots that are no longer trusted nothing is signed any more.
  const trusted = before.current?.roots.map(({ fingerprint }) => fingerprint) ?? []
  const kept = Object.entries(before.rootKeys ?? {}).filter(([fingerprint]) => trusted.includes(fingerprint))
  const document = root ? { ...before, rootKeys: { ...Object.fromEntries(kept), ...made } } : before
  return { ...withRotation({ document, entries: [] }, record), lookAt: now }
}

/**
 * Pure. Where the answer did not come, the vault may yet be doing what it was asked. While a part of a write is in the vault the
 * rotation does not end: somebody has to put it back.
 */
export function afterTrouble(
  step: CaStep,
  { trouble, torn }: { readonly trouble: Trouble; readonly torn: boolean },
  now: number,
): CaStep {
  const { rotation } = step.document
  const isWritten =
    rotation?.written !== undefined || rotation?.direction === 'back' || step.document.anchors !== undefined
  const { reason, message } = trouble
  if (!isPassing(trouble) && !isWritten && !torn) return end(step, 'failed', reason, message, now)
  if (trouble.kind === 'unavailable') {
    const lookAt = now + LOST_MS
    return { ...withRotation(step, { reason, message, askedUntil: timestamp(lookAt) }), lookAt }
  }
  const held = holdForTrouble({ ...step, document: { ...step.document, dueAt: timestamp(now) } }, trouble, now)
  const lookAt = held.lookAt ?? now
  // What a person must allow, and what is torn until then, is not waited with to be told.
  const told = torn && !isPassing(trouble) ? holdAndTell(held, reason, message, lookAt - now, now) : held
  return { ...withRotation(told, { askedUntil: timestamp(lookAt) }), lookAt }
}
