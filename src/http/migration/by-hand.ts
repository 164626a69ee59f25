import type { KubeObject } from '../../model/kube.ts'
import type { OsmMigrationRequest } from '../../model/migration.ts'
import { MIGRATED_FROM } from '../../model/migration.ts'
import type { Places } from './places.ts'
import type { MigrationPlan } from './plan-migration.ts'

/** What only people can do, in order. */
export function stepsByHand({ stage, source, place }: Places, request: OsmMigrationRequest): readonly string[] {
  const revision = place.mesh?.provider === 'istio' ? place.mesh.revision : undefined
  const label = `istio.io/rev=${revision ?? 'REVISION'}`
  const again = 'Send the same body again with "apply": true and "digest" of this plan.'
  if (stage === 'target') {
    return [
      `Deploy the same workloads on ${place.name}, in namespaces of the same names, with the same labels and service accounts, and label the namespaces ${label}.`,
      `Apply the baseline of this answer on ${place.name}: it refuses what no rule lets in.`,
      again,
      `Look at GET /clusters/${place.name}/plan and at the placements; call the services there.`,
      `Move DNS or the ingress to ${place.name}, then take the workloads off ${source.name}.`,
    ]
  }
  const { from, until } = request.inPlace?.window ?? { from: '', until: '' }
  const disable = 'az aks disable-addons --addons open-service-mesh, then az aks mesh enable'
  if (stage === 'hold') {
    return [
      `${again} The services are registered on no cluster yet, and ${source.name} is put into observe.`,
      `From ${from}: ${disable}. Calls between Pods fail until both have proxies of Istio.`,
      `Label the namespaces ${label}, take the annotation openservicemesh.io/sidecar-injection off them, and restart the Pods.`,
      `Apply the baseline of this answer on ${source.name}, and give callers without the mesh a way in (exposure).`,
      `Before ${until}: send the body of this call again, without "apply": the plan is then that of the switch to Istio. Look at it, and apply it.`,
    ]
  }
  return [
    `See that all Pods were restarted and have proxies of Istio.`,
    `${again} It puts ${source.name} into manage with the label ${MIGRATED_FROM}, by which the services choose it.`,
    `Look at GET /clusters/${source.name}/plan and at the placements, and remove what Open Service Mesh left behind.`,
  ]
}

/**
 * Objects to apply by hand in each namespace: what is in the mesh takes mutual TLS alone, and, unless everybody may call everybody, what no
 * rule lets in is refused. Istio lets everything in by default, where Open Service Mesh did not. None once that mesh is gone, for nobody
 * can tell then whether it let everybody in.
 */
export function baseline({ namespaces, permissive }: MigrationPlan['migration']): readonly KubeObject[] {
  if (permissive === undefined) return []
  return namespaces.flatMap((namespace): readonly KubeObject[] => {
    const metadata = { name: 'baseline', namespace }
    const strict = {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata,
      spec: { mtls: { mode: 'STRICT' } },
    }
    const nobody = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, spec: {} }
    return permissive ? [strict] : [strict, nobody]
  })
}
