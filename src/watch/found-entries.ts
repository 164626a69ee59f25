import { meshOf } from '../mesh/mesh-of.ts'
import type { ClusterDocument, FoundDocument, MeshCaDocument } from '../model/documents.ts'
import { vaultName } from '../model/found.ts'
import { pluginPlace } from '../ports/ca-place.ts'
import type { Draft } from './certificate-entries.ts'
import type { Place, Renewer } from './report.ts'

/** What a look found at a place. `registered` says of which mesh CA a fingerprint is. */
export function entriesOfFound(
  found: FoundDocument,
  cluster: ClusterDocument | undefined,
  registered: ReadonlyMap<string, string>,
  cas: readonly MeshCaDocument[],
): readonly Draft[] {
  // A plug-in CA that was registered since is told of by its document.
  const isStale = found.place === 'plug-in-ca' && cas.some(({ spec }) => spec.cluster === found.name)
  if (isStale || (found.place !== 'vault' && !cluster)) return []
  return found.certificates.map((one) => {
    const { kind, object, namespaces, examples, ...facts } = one
    const name = one.fingerprint === undefined ? undefined : registered.get(one.fingerprint)
    const place: Place = {
      ...placeOf(found, cluster),
      object,
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(examples === undefined ? {} : { examples }),
      ...(found.lookedAt === undefined ? {} : { lookedAt: found.lookedAt }),
    }
    const renewedBy = name === undefined ? renewerOf(found, cluster) : 'meshwright'
    return { kind, ...facts, ...(name === undefined ? {} : { registeredAs: name }), renewedBy, places: [place] }
  })
}

function placeOf({ place, name }: FoundDocument, cluster: ClusterDocument | undefined): Omit<Place, 'object'> {
  if (place === 'cluster') return { where: 'bundle', cluster: name }
  if (place === 'vault') return { where: 'vault', vault: name }
  const plugin = pluginPlace(cluster)
  return { where: 'vault', cluster: name, ...(plugin ? { vault: vaultName(plugin.vault) } : {}) }
}

/** Only what Azure and the mesh tell; who renews what lies in a vault is in no list. */
function renewerOf({ place }: FoundDocument, cluster: ClusterDocument | undefined): Renewer {
  if (place === 'vault' || !cluster) return 'unknown'
  if (place === 'plug-in-ca') return 'hand'
  if (meshOf(cluster)?.provider === 'linkerd') return 'hand'
  const mesh = cluster.aks?.mesh
  if (!mesh) return 'unknown'
  return mesh.pluginCa ? 'hand' : 'istiod'
}
