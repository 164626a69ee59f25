import type { CertificateDocument } from '../model/documents.ts'
import { isRotationOver } from '../model/rotation.ts'
import { PortError } from '../ports/port-error.ts'
import type { Vault, VaultVersion } from '../ports/vault.ts'
import { type Trouble, troubleOf } from '../ports/vault-trouble.ts'
import { windowState } from '../ports/window-state.ts'
import { type CertificateDeps, vaultOf } from './deps.ts'
import { ROTATION_TAG, vaultNameOf } from './issue-policy.ts'
import type { Observations, VaultSeen } from './observations.ts'

/** Looks at everything that decides what comes next for a certificate. Throws PortError when the store does not answer. */
export async function observe(deps: CertificateDeps, document: CertificateDocument): Promise<Observations> {
  const { name, spec } = document
  const now = deps.clock.now()
  const [vault, deliveries, team] = await Promise.all([
    lookAtVault(deps, document),
    deps.store.all('delivery', { prefix: `${name}/` }),
    spec.team === undefined ? undefined : deps.store.read('team', spec.team),
  ])
  // A team that lists no hosts owns none.
  const teamHosts = team && (team.value.spec.hosts ?? [])
  return {
    now,
    vault,
    deliveries,
    ...(teamHosts === undefined ? {} : { teamHosts }),
    window: windowState(spec.windows, now),
  }
}

/** The certificate's vault. Throws PortError `denied` when it may not be called, `invalid` when none is set. */
export function openVault(deps: CertificateDeps, document: Pick<CertificateDocument, 'spec'>): Vault {
  const url = vaultOf(deps, document.spec)
  if (url === undefined) {
    throw new PortError('invalid', 'Key Vault', 'Neither the certificate nor the settings name a vault.')
  }
  return deps.vaults.open(url)
}

async function lookAtVault(deps: CertificateDeps, document: CertificateDocument): Promise<VaultSeen | Trouble> {
  try {
    return await read(openVault(deps, document), document)
  } catch (error) {
    return troubleOf(error)
  }
}

/** One request while nothing happens; while a version is made, the operation and the tags of the others too. */
async function read(vault: Vault, document: CertificateDocument): Promise<VaultSeen> {
  const { rotation } = document
  const name = vaultNameOf(document)
  const live = rotation && !isRotationOver(rotation) ? rotation : undefined
  const making = live?.phase === 'requested' || live?.phase === 'creating' || live?.phase === 'awaiting-issuer'
  // First the operation: it can only have ended after, so a version that it made is not missed.
  const operation = making ? await vault.operation(name) : undefined
  const newest = await vault.version(name)
  const tagged = live && making ? await findTagged(vault, name, live.id, newest) : undefined
  const wanted = live?.candidate?.version
  const candidate = wanted === undefined || wanted === newest?.version ? newest : await vault.version(name, wanted)
  return {
    ...(operation ? { operation } : {}),
    ...(newest ? { newest } : {}),
    ...(tagged ? { tagged } : {}),
    ...(wanted !== undefined && candidate ? { candidate } : {}),
  }
}

async function findTagged(
  vault: Vault,
  name: string,
  rotation: string,
  newest: VaultVersion | undefined,
): Promise<VaultVersion | undefined> {
  if (newest?.tags[ROTATION_TAG] === rotation) return newest
  const found = (await vault.versions(name)).find(({ tags }) => tags[ROTATION_TAG] === rotation)
  return found && vault.version(name, found.version)
}
