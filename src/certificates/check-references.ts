import { foreignHosts } from '../model/access.ts'
import type { CertificateSpec } from '../model/certificate.ts'
import { selectedClusters } from '../model/cluster-selection.ts'
import type { CertificateDocument, ClusterDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import { windowsProblem } from '../ports/window-state.ts'
import { type CertificateDeps, vaultOf } from './deps.ts'

/** Checks everything that a certificate's spec refers to; the value is the names of its clusters. */
export async function checkReferences(
  deps: CertificateDeps,
  name: string,
  spec: CertificateSpec,
): Promise<Result<readonly string[]>> {
  const refused =
    checkName(await deps.store.read('mesh-ca', name), name) ??
    windowsProblem(spec.windows) ??
    checkVault(deps, spec) ??
    (await checkTeam(deps.store, spec))
  if (refused) return { ok: false, failure: refused }
  const clusters = await deps.store.all('cluster')
  const chosen = selectedClusters(spec.clusters, clusters)
  const unknown = chosen.filter((one) => !clusters.some((other) => other.name === one && !other.deletingAt))
  if (unknown.length > 0) {
    const errors = unknown.map((cluster) => ({ pointer: '/clusters', reason: `there is no cluster ${cluster}` }))
    return fail('UnknownReference', `The certificate names unknown clusters: ${unknown.join(', ')}.`, { errors })
  }
  const twin = await checkTwins(deps, name, spec, chosen, clusters)
  return twin ? { ok: false, failure: twin } : succeed(chosen)
}

/** A name is a certificate's or a mesh CA's. */
function checkName(ca: unknown, name: string): Failure | undefined {
  if (ca === undefined) return undefined
  const errors = [{ pointer: '/purpose', reason: `${name} is a mesh CA` }]
  return fail('Conflict', `${name} is a mesh CA already.`, {
    errors,
    hint: 'Take another name, or delete the mesh CA first.',
  }).failure
}

/** The vault must be one that may be called; whether it answers is the worker's part. */
function checkVault(deps: CertificateDeps, spec: CertificateSpec): Failure | undefined {
  const url = vaultOf(deps, spec)
  if (url === undefined) {
    const errors = [{ pointer: '/vault', reason: 'must be given: the settings name no vault' }]
    return fail('UnknownReference', 'Neither the certificate nor the settings name a vault.', {
      errors,
      hint: 'Name the vault, or set MESHWRIGHT_VAULT.',
    }).failure
  }
  try {
    deps.vaults.open(url)
    return undefined
  } catch (error) {
    if (!isPortError(error)) throw error
    const errors = [{ pointer: '/vault', reason: error.message }]
    return fail('InvalidCombination', `The vault may not be called: ${error.message}`, { errors }).failure
  }
}

async function checkTeam(store: Store, { team, dnsNames }: CertificateSpec): Promise<Failure | undefined> {
  if (team === undefined) return undefined
  const owner = (await store.read('team', team))?.value.spec
  if (!owner) {
    const errors = [{ pointer: '/team', reason: `there is no team ${team}` }]
    return fail('UnknownReference', `The certificate names the unknown team ${team}.`, { errors }).failure
  }
  const foreign = foreignHosts(dnsNames, owner.hosts ?? [])
  if (foreign.length === 0) return undefined
  const errors = foreign.map((host) => ({
    pointer: `/dnsNames/${dnsNames.indexOf(host)}`,
    reason: `team ${team} does not own ${host}`,
  }))
  return fail('InvalidCombination', 'The certificate serves hosts that its team does not own.', {
    errors,
    hint: 'An administrator can add the hosts to the team.',
  }).failure
}

/** Two certificates may write neither the same Secret on one cluster nor the same certificate of one vault. */
async function checkTwins(
  deps: CertificateDeps,
  name: string,
  spec: CertificateSpec,
  chosen: readonly string[],
  clusters: readonly ClusterDocument[],
): Promise<Failure | undefined> {
  const { secret } = spec
  const [sameSecret, sameVaultName] = await Promise.all([
    deps.store.all('certificate', {
      where: { 'spec.secret.namespace': secret.namespace, 'spec.secret.name': secret.name },
    }),
    withVaultName(deps.store, spec.vaultName ?? name),
  ])
  for (const other of sameSecret.filter((one) => one.name !== name)) {
    const both = selectedClusters(other.spec.clusters, clusters).filter((cluster) => chosen.includes(cluster))
    const held = [...both, ...other.leaving.filter((cluster) => chosen.includes(cluster))]
    if (held.length === 0) continue
    const reason = `is written by certificate ${other.name} on ${[...new Set(held)].join(', ')}`
    const errors = [{ pointer: '/secret', reason }]
    return fail('Conflict', `Secret ${secret.namespace}/${secret.name} ${reason}.`, { errors }).failure
  }
  const other = sameVaultName.find((one) => one.name !== name && vaultOf(deps, one.spec) === vaultOf(deps, spec))
  if (!other) return undefined
  const reason = `certificate ${other.name} rotates it already`
  const errors = [{ pointer: '/vaultName', reason }]
  return fail('Conflict', `The certificate in the vault has an owner: ${reason}.`, { errors }).failure
}

/** Certificates that have this name in their vault. */
export async function withVaultName(store: Store, vaultName: string): Promise<readonly CertificateDocument[]> {
  const [own, named] = await Promise.all([
    store.read('certificate', vaultName),
    store.all('certificate', { where: { 'spec.vaultName': vaultName } }),
  ])
  const byName = own && own.value.spec.vaultName === undefined ? [own.value] : []
  return [...byName, ...named]
}
