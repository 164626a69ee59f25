import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { type Failure, fail } from '../model/failure.ts'
import { servicePolicy } from '../model/policy/service-policy.ts'
import { meshOf } from './mesh-of.ts'
import { providerFor } from './registry.ts'

/** What a mesh is asked to express: a service with the policy that holds for it. */
type Asked = Pick<ServiceDocument, 'namespace' | 'name' | 'spec' | 'layers' | 'overridesOn' | 'spread'>

/** What the mesh of a cluster cannot express: refused when it is asked for, not found out on the cluster. */
export function refusalOn(service: Asked, cluster: ClusterDocument): Failure | undefined {
  const mesh = meshOf(cluster)
  if (!mesh) return undefined
  const provider = providerFor(mesh.provider)
  if (!provider) {
    const reason = `${cluster.name} has ${mesh.provider}, which is not built yet`
    return fail('UnsupportedFeature', `Cluster ${cluster.name} has a mesh that this version cannot write.`, {
      errors: [{ pointer: '/clusters', reason }],
    }).failure
  }
  const { namespace, name, spec } = service
  const rendered = provider.render({
    namespace,
    name,
    spec,
    policy: servicePolicy(service, cluster).policy,
    mesh,
    gateways: cluster.spec.mesh?.gateways ?? {},
    renderRevision: 0,
    weights: { [spec.initialVersion]: 100 },
  })
  return rendered.ok ? undefined : rendered.failure
}
