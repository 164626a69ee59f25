import type { CaRotation } from '../model/ca-rotation.ts'
import { pendingKeyName } from '../model/ca-rotation.ts'
import type { CaSecretNames } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import { certificatesOf } from './certificate-texts.ts'
import { issuingRoot, makeIntermediate } from './make-certificates.ts'
import { type CaWrite, PARTS } from './observations.ts'
import { type KnownSecrets, knownSecrets, putBack, refuseOthers } from './put-back.ts'
import { bundleOf, type FourSecrets, isOf, readFour, seeFour, tagsOf } from './read-vault.ts'
import { unfinishedParts } from './unfinished.ts'
import { PEM, type WriteScene } from './write-scene.ts'

type Bundle = Readonly<Record<keyof CaSecretNames, string>>

/** What became of a write. `torn`: a part of it is in the vault, or may be, and could not be put back. */
export type Written = { readonly kind: 'written' } | Failed
interface Failed {
  readonly kind: 'failed'
  readonly error: unknown
  readonly torn: boolean
}

/** How far a write has come, for who has to undo it. */
interface Progress {
  readonly before: FourSecrets
  known?: KnownSecrets
  is: 'not-begun' | 'begun' | 'whole'
}

/**
 * Writes the four secrets one right after the other, certificate and key last, then reads them back. What does not pass the
 * checks is not written (`invalid`, reason `BundleRefused`); what cannot be written whole, or does not come back as it was
 * written, is put back at once, in the same lease. Throws PortError when the vault could not be read at first.
 */
export async function writeSecrets(scene: WriteScene, write: CaWrite): Promise<Written> {
  const progress: Progress = { before: await readFour(scene.vault), is: 'not-begun' }
  try {
    await attempt(scene, write, progress)
    return { kind: 'written' }
  } catch (error) {
    return undo(scene, progress, error)
  }
}

async function attempt(scene: WriteScene, write: CaWrite, progress: Progress): Promise<void> {
  const { vault, rotation } = scene
  await refuseOthers(scene, progress.before)
  // Read before anything is written: who has to put it back asks for nothing more.
  const known = await knownSecrets(scene, progress.before)
  if (known) progress.known = known
  const next = await nextBundle(scene, write, known)
  // Of a mesh that is taken over the vault knows nothing yet.
  await check(scene, write, next, known?.rootCert.value ?? rotation.from?.rootCert)
  // To make a key and have it signed took its time.
  await refuseOthers(scene, await readFour(vault))
  await setFour(scene, next, write, progress)
  const found = bundleOf(await readFour(vault))
  if (found && PARTS.every((part) => found[part] === next[part])) return
  progress.is = 'begun'
  throw new PortError('conflict', 'mesh CA', 'The vault does not give back what was written.', {
    reason: 'ReadBackFailed',
  })
}

async function setFour(
  { vault: { secrets, names }, mayAsk }: WriteScene,
  next: Bundle,
  { rotation, phase, direction }: CaWrite,
  progress: Progress,
) {
  const tags = tagsOf({ rotation, phase, direction })
  for (const part of PARTS) {
    mayAsk()
    progress.is = 'begun'
    await secrets.setSecret(names[part], next[part], { tags, contentType: PEM })
  }
  progress.is = 'whole'
}

/** After an error the vault is as it was before, as far as it can be. */
async function undo(scene: WriteScene, { before, known, is }: Progress, error: unknown): Promise<Failed> {
  if (is === 'not-begun') return { kind: 'failed', error, torn: await isUnfinished(scene, before) }
  // All four were answered for: whether they are there is what the next look compares.
  if (is === 'whole' || !known) return { kind: 'failed', error, torn: true }
  try {
    await putBack(scene, known)
    return { kind: 'failed', error, torn: false }
  } catch (again) {
    // Of two errors the one counts after which a request may still be on its way.
    return { kind: 'failed', error: isPortError(again, 'unavailable') ? again : error, torn: true }
  }
}

async function isUnfinished({ rotation, now, document }: WriteScene, there: FourSecrets): Promise<boolean> {
  return unfinishedParts(rotation, await seeFour(there, now, document.spec.purpose)).length > 0
}

async function check(
  { now, document }: WriteScene,
  { signer }: CaWrite,
  next: Bundle,
  heldRoots: string | undefined,
): Promise<void> {
  const { checkBundle } = await import('../authority/ca-bundle.ts')
  // What signs already is not refused for what it cannot help: the next one may be on its way.
  const minimumLifetimeMs = signer === 'keep' ? 0 : durationMs(document.spec.workloadTtl)
  const problems = checkBundle(next, {
    purpose: document.spec.purpose,
    now,
    minimumLifetimeMs,
    ...(heldRoots === undefined ? {} : { heldRoots }),
  })
  if (problems.length === 0) return
  const words = problems.map(({ message }) => message).join(' ')
  throw new PortError('invalid', 'mesh CA', `Nothing was written: ${words}`, { reason: 'BundleRefused' })
}

async function nextBundle(scene: WriteScene, write: CaWrite, known: KnownSecrets | undefined): Promise<Bundle> {
  const { rootCert, signer } = write
  if (signer === 'keep') {
    const bundle = bundleOf(known ?? {})
    if (bundle) return { ...bundle, rootCert }
    throw new PortError('conflict', 'mesh CA', 'One of the four secrets is gone from the vault.', {
      reason: 'SecretsGone',
    })
  }
  if (signer === 'former') return { ...(await formerBundle(scene)), rootCert }
  const { document, rotation } = scene
  return document.spec.root.kind === 'vault-key'
    ? newBundle(scene, rootCert)
    : { rootCert, ...(await repliedBundle(scene, rotation)) }
}

async function newBundle({ vault, document, rotation, now, random }: WriteScene, rootCert: string): Promise<Bundle> {
  const root = await issuingRoot(vault.keys, document, rotation)
  const { caCert, caKey } = await makeIntermediate(vault.keys, root, document, rotation.id, { now, random })
  return { rootCert, caCert, certChain: caCert, caKey }
}

/** What another CA signed, with the key that waited for it. */
async function repliedBundle(
  { vault: { secrets, names } }: WriteScene,
  { id, chain = '' }: CaRotation,
): Promise<Omit<Bundle, 'rootCert'>> {
  const pending = await secrets.readSecret(pendingKeyName(names.caKey))
  const [caCert] = certificatesOf(chain)
  if (pending && isOf(pending.tags, { id }) && caCert !== undefined) {
    return { caCert, certChain: chain, caKey: pending.value }
  }
  const message = `The key that belongs to the CSR is no longer in the vault (secret ${pendingKeyName(names.caKey)}). Abort, and rotate again.`
  throw new PortError('invalid', 'mesh CA', message, { reason: 'PendingKeyGone' })
}

/** What signed when the rotation began, from its versions of the secrets. */
async function formerBundle({
  vault: { secrets, names },
  rotation: { from },
}: WriteScene): Promise<Omit<Bundle, 'rootCert'>> {
  const caKey = from && (await secrets.readSecret(names.caKey, from.versions.caKey))
  if (from && caKey) return { caCert: from.caCert, certChain: from.certChain, caKey: caKey.value }
  const message = `Version ${from?.versions.caKey} of secret ${names.caKey} is no longer in the vault: recover it, or POST …/pause and put a CA there yourself.`
  throw new PortError('invalid', 'mesh CA', message, { reason: 'FormerKeyGone' })
}
