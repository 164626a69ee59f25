import { canonicalJson } from '../model/digest.ts'
import type { ClusterDocument, PolicyDocument, ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { sameLayers, withPolicy } from '../model/policy/layers.ts'
import { servicePolicy } from '../model/policy/service-policy.ts'
import { reconcileWork, serviceEvent } from '../model/service-event.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'

/**
 * Gives a service its copy of a policy on some of its clusters, or takes it away: one conditional write. The render revision
 * rises, and clusters get work, only where what the service asks of the mesh changes.
 */
export async function bringPolicy(
  deps: { readonly store: Store; readonly clock: Clock },
  policy: PolicyDocument,
  service: string,
  clusters: readonly ClusterDocument[],
): Promise<Result<undefined>> {
  const changed = await changeDocument(
    deps.store,
    'service',
    service,
    (stored): Result<Change<ServiceDocument, undefined>> => {
      const before = stored?.value
      if (!before || before.deletingAt) return succeed({ kind: 'leave', value: undefined })
      const places = clusters.filter(({ name }) => Object.hasOwn(before.targets, name))
      const layers = withPolicy(before.layers, policy, before, places)
      if (sameLayers(layers, before.layers)) return succeed({ kind: 'leave', value: undefined })
      const document = carrying(before, { policy, layers, places, service, now: timestamp(deps.clock.now()) })
      return succeed({ kind: 'write', document, value: undefined })
    },
  )
  return changed.ok ? succeed(undefined) : changed
}

interface Bringing {
  readonly policy: PolicyDocument
  readonly layers: NonNullable<ServiceDocument['layers']>
  readonly places: readonly ClusterDocument[]
  readonly service: string
  readonly now: string
}

function carrying(before: ServiceDocument, { policy, layers, places, service, now }: Bringing): ServiceDocument {
  const { layers: _, ...kept } = before
  const after = layers.length === 0 ? kept : { ...kept, layers }
  const touched = places
    .filter((cluster) => {
      const [was, is] = [before, after].map((one) => canonicalJson(servicePolicy(one, cluster).policy))
      return was !== is
    })
    .map(({ name }) => name)
  if (touched.length === 0) return { ...after, updatedAt: now }
  const renderRevision = before.renderRevision + 1
  const asked = Object.fromEntries(touched.map((cluster) => [cluster, renderRevision]))
  const event = serviceEvent(service, 'service.policy', {
    id: String(renderRevision),
    time: now,
    actor: MESHWRIGHT,
    reason: 'PolicyChanged',
    message: `Policy ${policy.name} reaches service ${service} on ${touched.join(', ')}.`,
    data: { policy: policy.name, generation: policy.generation, clusters: touched },
  })
  return {
    ...after,
    renderRevision,
    policyRevision: { ...before.policyRevision, ...asked },
    updatedAt: now,
    outbox: [...before.outbox, event, ...reconcileWork(service, touched, renderRevision)],
  }
}
