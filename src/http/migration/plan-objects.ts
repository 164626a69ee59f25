import { istio } from '../../mesh/istio/istio.ts'
import type { RenderResult } from '../../mesh/provider.ts'
import type { ServiceDocument } from '../../model/documents.ts'
import { refOf } from '../../model/kube.ts'
import { servicePolicy } from '../../model/policy/service-policy.ts'
import type { Plan } from '../../reconcile/plan.ts'
import type { HttpDeps } from '../http-deps.ts'
import type { Places } from './places.ts'

/** The Istio objects of a service, and what keeping them out of force now; where Istio is not there yet, as they are rendered. */
export async function planObjects(
  deps: Pick<HttpDeps, 'plan'>,
  places: Places,
  service: ServiceDocument,
): Promise<Plan> {
  const { stage, place } = places
  if (stage !== 'hold') return deps.plan(service, place.name, { lint: true })
  const rendered = renderForIstio(service, places)
  const changes = !rendered.ok
    ? []
    : rendered.steps.map(({ object }) => ({
        ref: refOf(object),
        action: 'create' as const,
        diff: [{ path: 'spec', from: undefined, to: object.spec }],
      }))
  const message = `Cluster ${place.name} has Open Service Mesh still: the server was not asked.`
  return { cluster: place.name, changes, blocked: { reason: 'NotSwitched', message }, findings: [] }
}

/** What a service becomes on a cluster once that has Istio, whose version nobody knows yet. */
export function renderForIstio(
  service: Pick<ServiceDocument, 'namespace' | 'name' | 'spec' | 'layers' | 'overridesOn'>,
  { place }: Pick<Places, 'place'>,
): RenderResult {
  const { namespace, name, spec } = service
  return istio.render({
    namespace,
    name,
    spec,
    policy: servicePolicy(service, place).policy,
    mesh: { provider: 'istio' },
    gateways: place.spec.mesh?.gateways ?? {},
    renderRevision: 0,
    weights: spec.traffic?.weights ?? { [spec.initialVersion]: 100 },
  })
}
