import { canonicalJson } from '../model/digest.ts'
import { type ClusterDocument, SCHEMA, type ServiceDocument } from '../model/documents.ts'
import { actorOf } from '../model/identity.ts'
import { heldOn, type PolicyHolder, servicePolicy } from '../model/policy/service-policy.ts'
import type { ServiceSpread } from '../model/policy/spread.ts'
import { serviceKey } from '../model/service.ts'
import { serviceDueAt } from '../model/service-due.ts'
import { hostWork, reconcileWork, serviceEvent } from '../model/service-event.ts'
import type { PolicyFields } from './check-policies.ts'
import { retarget } from './choose-clusters.ts'
import type { ServiceChange } from './put-service.ts'
import { waveWork } from './words/fold-words.ts'

interface NextInput extends ServiceChange {
  /** Those that it is to be on. */
  readonly clusters: readonly ClusterDocument[]
  readonly carried: PolicyFields
  /** Where its words have to wait for a wave. */
  readonly spread: ServiceSpread | undefined
}

/** A service's document as a PUT makes it, with what must follow. */
export function nextService(before: ServiceDocument | undefined, input: NextInput): ServiceDocument {
  const { namespace, name, spec, carried, clusters, now } = input
  const key = serviceKey(namespace, name)
  const generation = (before?.generation ?? 0) + 1
  const renderRevision = before ? before.renderRevision + 1 : Math.floor(Date.parse(now) / 1000)
  const chosen = clusters.map((cluster) => cluster.name).sort()
  const { targets, leaving } = retarget(before, chosen, spec.initialVersion, input.stable)
  const { layers: _l, overridesOn: _o, policyRevision: _p, spread: _s, dueAt: _d, ...kept } = before ?? {}
  const spread = input.spread ? { spread: input.spread } : {}
  const holder = { spec, ...carried, ...spread }
  const asked = Object.keys(targets).filter((cluster) => !isUntouched(before, holder, cluster, clusters))
  const dueAt = serviceDueAt({ rollouts: before?.rollouts ?? [], ...spread })
  const event = serviceEvent(key, before ? 'service.changed' : 'service.registered', {
    id: String(renderRevision),
    time: now,
    actor: actorOf(input.caller),
    reason: before ? 'Changed' : 'Registered',
    message: before ? `Service ${key} was changed.` : `Service ${key} was registered.`,
    data: { generation, clusters: Object.keys(targets) },
  })
  return {
    rollouts: [],
    ...kept,
    ...holder,
    ...policyRevisions(before, carried, { targets, asked, renderRevision }),
    schema: SCHEMA,
    kind: 'service',
    namespace,
    name,
    generation,
    renderRevision,
    targets,
    leaving,
    idempotency: [],
    outbox: [
      ...(before?.outbox ?? []),
      event,
      ...reconcileWork(key, [...asked, ...leaving], renderRevision),
      ...hostWork(key, [before?.spec, spec], renderRevision),
      ...(input.spread ? [waveWork(key, String(renderRevision))] : []),
    ],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    ...(dueAt === undefined ? {} : { dueAt }),
  }
}

/** Does everything that is asked of a cluster wait for its wave? Then there is nothing to be done there yet. */
function isUntouched(
  before: ServiceDocument | undefined,
  next: PolicyHolder,
  name: string,
  clusters: readonly ClusterDocument[],
): boolean {
  const cluster = clusters.find((one) => one.name === name)
  if (!before || !cluster || !heldOn(next, name)) return false
  const [was, is] = [before, next].map((service) => canonicalJson(askedOn(service, cluster)))
  return was === is
}

function askedOn(service: PolicyHolder, cluster: ClusterDocument): unknown {
  const { team: _, clusters: _c, waves: _w, overrides: _o, ...rest } = service.spec
  const { traffic: _t, security: _s, exposure: _e, egress: _g, telemetry: _m, ...structure } = rest
  return { structure, policy: servicePolicy(service, cluster).policy }
}

/** A PUT takes the newest policies along, where clusters are asked to do something. */
function policyRevisions(
  before: ServiceDocument | undefined,
  { layers }: PolicyFields,
  change: {
    readonly targets: ServiceDocument['targets']
    readonly asked: readonly string[]
    readonly renderRevision: number
  },
): Pick<ServiceDocument, 'policyRevision'> {
  if (!layers) return {}
  const kept = Object.entries(before?.policyRevision ?? {}).filter(([cluster]) =>
    Object.hasOwn(change.targets, cluster),
  )
  const asked = change.asked.map((cluster) => [cluster, change.renderRevision] as const)
  return { policyRevision: Object.fromEntries([...kept, ...asked]) }
}
