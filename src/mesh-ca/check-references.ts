import { pendingKeyName } from '../model/ca-rotation.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { durationMs } from '../model/names.ts'
import { type CaPlace, placeKeys, placeOfCa, pluginPlace } from '../ports/ca-place.ts'
import { isPortError } from '../ports/port-error.ts'
import { windowsProblem } from '../ports/window-state.ts'
import { checkMesh } from './check-mesh.ts'
import type { MeshCaDeps } from './deps.ts'
import { renewalMs } from './renewal.ts'

type Deps = Pick<MeshCaDeps, 'store' | 'vaults' | 'vaultUrl'>

/** What is wrong with everything that the spec of a mesh CA refers to; undefined when nothing is. */
export async function checkReferences(deps: Deps, name: string, spec: MeshCaSpec): Promise<Failure | undefined> {
  const cluster = (await deps.store.read('cluster', spec.cluster))?.value
  if (!cluster || cluster.deletingAt !== undefined) {
    const errors = [{ pointer: '/cluster', reason: `there is no cluster ${spec.cluster}` }]
    return fail('UnknownReference', `The CA names the unknown cluster ${spec.cluster}.`, { errors }).failure
  }
  return (
    checkName(await deps.store.read('certificate', name), name) ??
    windowsProblem(spec.windows) ??
    checkLifetimes(spec) ??
    windowsProblem(spec.restarts?.windows, '/restarts/windows') ??
    checkMesh(spec, cluster) ??
    checkVault(deps, name, spec, cluster) ??
    checkPlugin(spec, cluster) ??
    (await checkTwins(deps, name, spec, cluster))
  )
}

/** A name is a certificate's or a mesh CA's. */
function checkName(certificate: unknown, name: string): Failure | undefined {
  if (certificate === undefined) return undefined
  const errors = [{ pointer: '/purpose', reason: `${name} is a certificate of another purpose` }]
  return fail('Conflict', `${name} is a certificate of another purpose already.`, {
    errors,
    hint: 'Take another name, or delete that certificate first.',
  }).failure
}

/** A signer must outlast the renewal of all workloads twice, a root that of two. */
function checkLifetimes(spec: MeshCaSpec): Failure | undefined {
  const { root, intermediate, workloadTtl } = spec
  if (root.kind === 'external') return undefined
  const needed = 2 * renewalMs(spec)
  const short = [
    { of: 'intermediate', validity: intermediate.validity, needed, factor: 'twice' },
    { of: 'root', validity: root.validity, needed: 2 * needed, factor: 'four times' },
  ].filter((one) => durationMs(one.validity) < one.needed)
  const errors = short.map(({ of, factor }) => {
    return {
      pointer: `/${of}/validity`,
      reason: `must be at least ${factor} workloadTtl (${workloadTtl}) and a quarter more`,
    }
  })
  if (errors.length === 0) return undefined
  return fail('InvalidCombination', 'Workloads could not all be renewed before it ends.', { errors }).failure
}

/** The vault must be one that may be called; whether it answers is the worker's part. */
function checkVault(deps: Deps, name: string, spec: MeshCaSpec, cluster: ClusterDocument): Failure | undefined {
  const place = placeOfCa({ name, spec }, cluster, deps.vaultUrl)
  if (!place) {
    const errors = [{ pointer: '/vault', reason: 'must be given: neither the cluster nor the settings name a vault' }]
    return fail('UnknownReference', 'Neither the CA, its cluster nor the settings name a vault.', {
      errors,
      hint: 'Name the vault, or set MESHWRIGHT_VAULT.',
    }).failure
  }
  const names = [...Object.values(place.secrets), pendingKeyName(place.secrets.caKey)]
  if (new Set(names.map((one) => one.toLowerCase())).size < names.length) {
    const errors = [
      { pointer: '/secrets', reason: `must be four names, and none of them ${pendingKeyName(place.secrets.caKey)}` },
    ]
    return fail('InvalidCombination', 'Two of the secrets have one name.', { errors }).failure
  }
  try {
    deps.vaults.secrets(place.vault)
    return undefined
  } catch (error) {
    if (!isPortError(error)) throw error
    const errors = [{ pointer: '/vault', reason: error.message }]
    return fail('InvalidCombination', `The vault may not be called: ${error.message}`, { errors }).failure
  }
}

/** What istiod reads must be what is written. */
function checkPlugin({ purpose, vault, secrets }: MeshCaSpec, cluster: ClusterDocument): Failure | undefined {
  const plugin = purpose === 'mesh-ca' ? pluginPlace(cluster) : undefined
  if (!plugin) return undefined
  const errors: { pointer: string; reason: string }[] = []
  if (vault !== undefined && hostOf(vault) !== hostOf(plugin.vault))
    errors.push({ pointer: '/vault', reason: `the plug-in CA of the cluster reads ${plugin.vault}` })
  for (const [part, name] of Object.entries(secrets ?? {})) {
    const read = plugin.secrets[part as keyof typeof plugin.secrets]
    if (read.toLowerCase() !== name.toLowerCase())
      errors.push({ pointer: `/secrets/${part}`, reason: `the plug-in CA of the cluster reads ${read}` })
  }
  if (errors.length === 0) return undefined
  return fail('InvalidCombination', 'The plug-in CA of the cluster reads other secrets.', {
    errors,
    hint: 'Leave vault and secrets out: what Azure says of the cluster is taken.',
  }).failure
}

/** The vault's own name: clouds differ in what is behind it. */
function hostOf(url: string): string {
  return new URL(url).hostname.split('.')[0]?.toLowerCase() ?? ''
}

/** A cluster has one CA, and its secrets are no other's. */
async function checkTwins(
  deps: Deps,
  name: string,
  spec: MeshCaSpec,
  cluster: ClusterDocument,
): Promise<Failure | undefined> {
  const others = (await deps.store.all('mesh-ca')).filter((other) => other.name !== name)
  const same = others.find((other) => other.spec.cluster === spec.cluster)
  if (same) {
    const errors = [{ pointer: '/cluster', reason: `has the CA ${same.name} already` }]
    return fail('Conflict', `Cluster ${spec.cluster} has the CA ${same.name} already.`, { errors }).failure
  }
  if (others.length === 0) return undefined
  const clusters = new Map((await deps.store.all('cluster')).map((one) => [one.name, one]))
  const mine = keysOf(placeOfCa({ name, spec }, cluster, deps.vaultUrl))
  const twin = others.find((other) =>
    keysOf(placeOfCa(other, clusters.get(other.spec.cluster), deps.vaultUrl)).some((key) => mine.includes(key)),
  )
  if (!twin) return undefined
  const errors = [{ pointer: '/secrets', reason: `share a name with those of CA ${twin.name}` }]
  return fail('Conflict', `One of the secrets is one of CA ${twin.name}: each cluster has a set of its own.`, {
    errors,
  }).failure
}

/** Every secret that the CA writes: a root that two clusters share would be changed for both. */
function keysOf(place: CaPlace | undefined): readonly string[] {
  if (!place) return []
  return [...placeKeys(place), `${place.vault}/${pendingKeyName(place.secrets.caKey)}`.toLowerCase()]
}
