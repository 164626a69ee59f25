import { type Condition, findCondition } from '../../model/condition.ts'
import { type HostDocument, keyOf, type PlacementDocument, type ServiceDocument } from '../../model/documents.ts'
import { claimsOf, hostsOf } from '../../model/host.ts'
import type { Store } from '../../ports/store.ts'
import { allClusters } from '../check-references.ts'

/** A host with what is known of it on each of its clusters. */
export interface PlacedHost {
  readonly host: HostDocument
  readonly placements: readonly PlacementDocument[]
}

/** A host and its placements; undefined when nobody holds anything of it. Throws PortError. */
export async function readPlacedHost(store: Store, key: string): Promise<PlacedHost | undefined> {
  const host = (await store.read('host', key))?.value
  if (!host) return undefined
  const page = await store.list('placement', { prefix: `${key}/`, limit: 1000 })
  return { host, placements: page.value.map(({ value }) => value) }
}

/** By cluster: can the service be reached by all that it exposes there? Empty when it exposes nothing. Throws PortError. */
export async function readExposure(
  store: Store,
  service: ServiceDocument,
): Promise<Readonly<Record<string, Condition>>> {
  const keys = hostsOf(service.spec)
  if (keys.length === 0) return {}
  const [clusters, ...placed] = await Promise.all([
    allClusters(store),
    ...keys.map((key) => readPlacedHost(store, key)),
  ])
  const hosts = new Map(keys.map((key, index) => [key, placed[index]]))
  const found = clusters
    .filter(({ name }) => Object.hasOwn(service.targets, name))
    .flatMap((cluster) => {
      const claims = [...claimsOf(service, [cluster])].flatMap(([key, paths]) =>
        paths.map(({ path }) => ({ key, path, placed: hosts.get(key) })),
      )
      const states = claims.map((claim) => stateOf(service, cluster.name, claim))
      const worst = states.find(({ status }) => status !== 'True') ?? states[0]
      return worst ? [[cluster.name, worst] as const] : []
    })
  return Object.fromEntries(found)
}

interface Claim {
  readonly key: string
  readonly path: string
  readonly placed: PlacedHost | undefined
}

function stateOf(service: ServiceDocument, cluster: string, { key, path, placed }: Claim): Condition {
  const type = 'Exposed'
  const own = keyOf(service)
  const holder = placed?.host.holders[own]
  const lastTransitionTime = placed?.host.updatedAt ?? service.updatedAt
  const refused = holder?.refused?.find((one) => one.cluster === cluster && one.path === path)
  if (refused) {
    const message = `Not on ${key}: ${refused.by} ${refused.reason}.`
    return { type, status: 'False', reason: 'HostTaken', message, lastTransitionTime }
  }
  if (!holder?.paths.some((held) => held.path === path && Object.hasOwn(held.clusters, cluster))) {
    const message = `What the service claims of ${key} is being looked at.`
    return { type, status: 'Unknown', reason: 'Pending', message, lastTransitionTime }
  }
  const placement = placed?.placements.find((one) => one.cluster === cluster)
  const ready = findCondition(placement?.conditions ?? [], 'Ready')
  if (placement?.routes?.some((route) => route.service === own && route.path === path)) {
    const at = ready?.lastTransitionTime ?? lastTransitionTime
    return { type, status: 'True', reason: 'Exposed', message: `${key} lets requests in.`, lastTransitionTime: at }
  }
  const isHeldBack = ready !== undefined && ready.status !== 'True'
  const [reason, why] = isHeldBack ? [ready.reason, ready.message] : ['Pending', 'It is being written.']
  const message = `${key} does not lead ${path} here yet: ${why}`
  return { type, status: 'False', reason, message, lastTransitionTime: ready?.lastTransitionTime ?? lastTransitionTime }
}
