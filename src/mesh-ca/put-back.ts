import type { CaRotation } from '../model/ca-rotation.ts'
import type { CaSecretNames } from '../model/mesh-ca.ts'
import { PortError } from '../ports/port-error.ts'
import type { SecretContent } from '../ports/vault-secrets.ts'
import { PARTS } from './observations.ts'
import { type FourSecrets, readFour, seeFour, tagsOf } from './read-vault.ts'
import { isTorn, PUT_BACK, unfinishedParts } from './unfinished.ts'
import { changedElsewhere, knownSet } from './wanted.ts'
import { PEM, type WriteScene } from './write-scene.ts'

/** The four as the rotation knows them, with their values. */
export type KnownSecrets = Readonly<Record<keyof CaSecretNames, SecretContent>>

/**
 * What the rotation knows the vault to hold, by its versions: those that are the newest still are taken from `there`. Undefined
 * where it knows of nothing: a first CA. Throws PortError; `invalid` with the reason `FormerGone` where a version is gone.
 */
export async function knownSecrets(scene: WriteScene, there: FourSecrets): Promise<KnownSecrets | undefined> {
  const { vault, rotation } = scene
  const known = knownSet(rotation)
  if (!known) return undefined
  const read = async (part: keyof CaSecretNames): Promise<SecretContent> => {
    const version = known.versions[part]
    const newest = there[part]
    const found = newest?.version === version ? newest : await vault.secrets.readSecret(vault.names[part], version)
    if (found) return found
    const message = `Version ${version} of secret ${vault.names[part]} is no longer in the vault: recover it, or put a CA there yourself.`
    throw new PortError('invalid', 'mesh CA', message, { reason: 'FormerGone' })
  }
  const [rootCert, certChain, caCert, caKey] = await Promise.all([
    read('rootCert'),
    read('certChain'),
    read('caCert'),
    read('caKey'),
  ])
  return { rootCert, certChain, caCert, caKey }
}

/**
 * Puts back what an unfinished write of this rotation left: the other way round, each part that is the rotation's own still, and
 * reads it back. Where another hand wrote in between, its word stays. Throws PortError; then it is to be tried again.
 */
export async function putBack(scene: WriteScene, known: KnownSecrets): Promise<void> {
  const { vault, rotation, document } = scene
  scene.mayPutBack()
  const there = await seeFour(await readFour(vault), scene.now, document.spec.purpose)
  // What another hand made whole is not taken apart again.
  if (changedElsewhere(rotation, there).length > 0 && !isTorn(rotation, there)) return
  const parts = unfinishedParts(rotation, there).toReversed()
  for (const part of parts) {
    scene.mayPutBack()
    await vault.secrets.setSecret(vault.names[part], known[part].value, { tags: tags(rotation), contentType: PEM })
  }
  const after = parts.length > 0 ? await readFour(vault) : {}
  if (parts.every((part) => after[part]?.value === known[part].value)) return
  throw new PortError('conflict', 'mesh CA', 'The vault does not give back what was put back.', {
    reason: 'PutBackFailed',
  })
}

function tags({ id, direction }: CaRotation) {
  return tagsOf({ rotation: id, phase: PUT_BACK, direction })
}

/** What is wanted at the beginning of a look: the vault as it was before a write that died. Throws as `putBack`. */
export async function putBackFirst(scene: WriteScene): Promise<void> {
  const known = await knownSecrets(scene, await readFour(scene.vault))
  if (known) await putBack(scene, known)
}

/** Throws `conflict` where another hand wrote one of the four: nothing is written over it, and the rotation ends by itself. */
export async function refuseOthers({ rotation, now, document }: WriteScene, there: FourSecrets): Promise<void> {
  const changed = changedElsewhere(rotation, await seeFour(there, now, document.spec.purpose, knownSet(rotation)))
  if (changed.length === 0) return
  const names = PARTS.filter((part) => changed.includes(part)).join(', ')
  throw new PortError('conflict', 'mesh CA', `Another hand changed ${names} at the same time.`, {
    reason: 'ChangedElsewhere',
  })
}
