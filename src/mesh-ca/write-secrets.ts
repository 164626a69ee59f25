import type { CaRotation } from '../model/ca-rotation.ts'
import { pendingKeyName } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { CaSecretNames } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'
import { PortError } from '../ports/port-error.ts'
import type { Random } from '../ports/random.ts'
import type { CaVault } from './ca-vault.ts'
import { certificatesOf } from './certificate-texts.ts'
import { issuingRoot, makeIntermediate } from './make-certificates.ts'
import { type CaWrite, PARTS } from './observations.ts'
import { bundleOf, type FourSecrets, isOf, readFour, tagsOf } from './read-vault.ts'

/** What a write works with. `mayAsk` throws when the lease is too old for another request. */
export interface WriteScene {
  readonly vault: CaVault
  readonly document: MeshCaDocument
  readonly rotation: CaRotation
  readonly now: number
  readonly random: Random
  mayAsk(): void
}

/** Media type of PEM. */
export const PEM = 'application/x-pem-file'

type Bundle = Readonly<Record<keyof CaSecretNames, string>>

/**
 * Writes the four secrets one right after the other, certificate and key last, then reads them back and checks them. What
 * does not pass before is not written; what does not pass after is put back. Throws PortError; `invalid` with the reason
 * `BundleRefused` for what does not pass.
 */
export async function writeSecrets(scene: WriteScene, write: CaWrite): Promise<void> {
  const { vault } = scene
  const before = await readFour(vault)
  const next = await nextBundle(scene, write, before)
  // Of a mesh that is taken over the vault knows nothing yet.
  await check(scene, write, next, before.rootCert?.value ?? scene.rotation.from?.rootCert)
  await setFour(scene, next, write)
  scene.mayAsk()
  const after = await readFour(vault)
  const found = bundleOf(after)
  if (found && PARTS.every((part) => found[part] === next[part])) return
  await putBack(scene, write, before, after)
}

async function setFour(
  { vault: { secrets, names }, mayAsk }: WriteScene,
  next: Bundle,
  { rotation, phase, direction }: CaWrite,
) {
  const tags = tagsOf({ rotation, phase, direction })
  for (const part of PARTS) {
    mayAsk()
    await secrets.setSecret(names[part], next[part], { tags, contentType: PEM })
  }
}

/** What came back is not what was written. Where another hand wrote in between, its word stays, and the rotation stops by itself. */
async function putBack(scene: WriteScene, write: CaWrite, before: FourSecrets, after: FourSecrets): Promise<never> {
  const { rotation } = scene
  const isOurs = PARTS.every((part) => isOf(after[part]?.tags ?? {}, rotation))
  const former = bundleOf(before)
  if (isOurs && former) await setFour(scene, former, { ...write, phase: 'put-back' })
  const what = isOurs ? 'The former values were put back.' : 'Another hand wrote at the same time.'
  throw new PortError('conflict', 'mesh CA', `The vault does not give back what was written. ${what}`, {
    reason: 'ReadBackFailed',
  })
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

async function nextBundle(scene: WriteScene, write: CaWrite, before: FourSecrets): Promise<Bundle> {
  const { rootCert, signer } = write
  if (signer === 'keep') {
    const bundle = bundleOf(before)
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
