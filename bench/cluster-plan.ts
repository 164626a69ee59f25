import { keyOf, type ServiceDocument } from '../src/model/documents.ts'
import { planPlacement } from '../src/reconcile/plan.ts'
import { planOnCluster } from '../src/services/plan-service.ts'
import { FakeMetrics } from '../test/unit/fakes/fake-metrics.ts'
import type { Figure } from './figure.ts'
import { openBench, registerAll } from './fleet.ts'

const SERVICES = 1000
/** One in so many is to change. */
const CHANGED_EVERY = 10
/** A service that nothing is to change of needs its namespace, its own objects, its Service and its endpoints. */
const MOST_REQUESTS = 8

/** What a thousand services of a cluster would do there: time, and requests to the cluster and the store. */
export async function clusterPlan(): Promise<readonly Figure[]> {
  const bench = openBench()
  await registerAll(bench, SERVICES)
  const services = await bench.store.all('service')
  for (const [index, service] of services.entries()) if (index % CHANGED_EVERY === 0) bench.store.put(changed(service))
  const deps = {
    ...bench.deps,
    metrics: new FakeMetrics(),
    plan: (
      ...[service, cluster, options]: [Parameters<typeof planPlacement>[1], string, Parameters<typeof planPlacement>[3]]
    ) => planPlacement(bench.deps, service, cluster, options),
  }
  const asked = bench.requests.length
  let reads = 0
  bench.store.beforeRead = () => {
    reads += 1
  }
  const startedMs = performance.now()
  const plans = await planOnCluster(deps, 'east', services.map(keyOf).sort())
  const tookMs = performance.now() - startedMs
  const requests = bench.requests.slice(asked)
  const dry = requests.filter((request) => request.startsWith('PATCH '))
  const differing = plans.filter(({ plan }) => plan.changes.some(({ action }) => action !== 'none'))
  if (differing.length !== SERVICES / CHANGED_EVERY) throw new Error(`${differing.length} plans differ`)
  const name = `plan of ${SERVICES} services`
  return [
    { name, value: tookMs / 1000, unit: 's', note: 'API server emulated in the same process; store in memory' },
    {
      name: `${name}, cluster`,
      value: requests.length / SERVICES,
      unit: 'requests a service',
      limit: MOST_REQUESTS,
      note: `${dry.length} dry runs, of the ${SERVICES / CHANGED_EVERY} services that change`,
    },
    { name: `${name}, store`, value: reads / SERVICES, unit: 'point reads a service' },
  ]
}

function changed(service: ServiceDocument): ServiceDocument {
  const { renderRevision, spec } = service
  return { ...service, renderRevision: renderRevision + 1, spec: { ...spec, traffic: { timeout: '9s' } } }
}
