import { READ_KINDS, type ReadKind } from '../../../src/mesh/osm/migration/kinds.ts'
import type { ClusterDocument } from '../../../src/model/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { demo, REPLACEMENTS } from '../mesh/osm/migration/demo.ts'
import { type Call, clusterDocument, createWorld, SHOP_GROUP, START, teamDocument, type World } from './fixture.ts'

export const PATH = '/api/v1/clusters/east/migrations/osm'
const NAMESPACES = ['bookbuyer', 'bookthief', 'bookstore', 'bookwarehouse']
/** With the demo's two matches that rules have no words for; bookbuyer and bookthief have no Service. */
export const ALONE = ['PodsWithoutService', 'EgressOpen']
export const BODY = { target: 'west', replace: REPLACEMENTS, accept: ALONE }

/** Of the test that runs. */
export let world: World
export let clusters: FakeClusters

const OSM: Partial<ClusterDocument> = { mesh: { provider: 'osm', permissive: false } }
export const ISTIO: Partial<ClusterDocument> = { mesh: { provider: 'istio', revision: 'asm-1-30', version: '1.30.2' } }

/** A cluster with the demo of Open Service Mesh, and one with Istio. */
export function beginScene(): void {
  world = createWorld()
  clusters = new FakeClusters()
  Object.assign(world.deps, { clusters })
  hold(demo())
  world.store.put(clusterDocument('east', OSM))
  world.store.put(clusterDocument('west', ISTIO))
  world.store.put(teamDocument('books', { namespaces: NAMESPACES, groups: [SHOP_GROUP] }))
}

export function hold(objects: ReturnType<typeof demo>): void {
  for (const kind of Object.keys(READ_KINDS) as ReadKind[]) clusters.objects.set(READ_KINDS[kind].kind, objects[kind])
}

export const post = (body: object, call: Call = {}) => world.call('POST', PATH, { ...call, body })
export const planned = async (body: object) => (await post(body)).json
export const apply = async (body: object, call: Call = {}) => {
  const { digest } = await planned(body)
  return post({ ...body, apply: true, digest }, call)
}
export const stored = async () =>
  (await world.store.all('service')).map(({ namespace, name }) => `${namespace}/${name}`)

/** Hours after the start. */
export function window(from: number, until: number): object {
  const at = (hours: number) => new Date(START + hours * 3_600_000).toISOString()
  return { window: { from: at(from), until: at(until) } }
}
