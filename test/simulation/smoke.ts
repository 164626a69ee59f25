import { NO_FAULTS } from './faults.ts'
import { runSimulation, type Simulation } from './simulation.ts'
import { createTenant, prometheusUrl } from './surroundings.ts'

const tenant = await createTenant()
const habits = { lockMs: 30000, doubles: 0, forgetsFeed: 0, feed: true, pollMs: { queue: 1000, feed: 5000 } }
const started = process.hrtime.bigint()
for (let n = 0; n < Number(process.argv[2] ?? 2); n++) {
const t0 = process.hrtime.bigint()
const result = await runSimulation({ seed: 1, tenant, clusters: ['east', 'west'], instances: 2, rates: NO_FAULTS, habits, echo: process.argv[3] ? (l) => console.log(l) : undefined }, async (s: Simulation) => {
  const v = () => ({ pods: 2, errorPercent: 0.1, errorCode: 500, latencyMs: 20, silent: false, burst: null })
  for (const cluster of ['east', 'west']) s.surroundings.world.putService({ cluster, namespace: 'shop', service: 'web' }, { port: 80, protocol: 'http', versions: { v1: v(), v2: v() }, demand: { requestsPerSecond: 60, callers: [{ workload: 'frontend', namespace: 'shop', share: 1, meshed: true }] } })
  const ok = async (op: Parameters<typeof s.client.call>[0]) => { const r = await s.client.call(op); if (!r.reply || r.reply.status >= 300) throw new Error(JSON.stringify(r)); return r.reply.json }
  await ok({ method: 'PUT', path: '/teams/shop', as: 'admin', body: { namespaces: ['shop'], groups: ['00000000-cccc-4000-8000-000000000001'] } })
  for (const cluster of ['east', 'west']) await ok({ method: 'PUT', path: `/clusters/${cluster}?wait=30s`, as: 'operator', body: { kubeconfig: { context: cluster }, metrics: { prometheus: { url: prometheusUrl(cluster) }, delay: '2s', every: '5s' } } })
  await ok({ method: 'PUT', path: '/services/shop/web?wait=60s', as: 'deployer', body: { team: 'shop', ports: [{ name: 'http', port: 80, protocol: 'http' }], versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }, initialVersion: 'v1', clusters: ['east', 'west'] } })
  const r = await ok({ method: 'POST', path: '/services/shop/web/rollouts?wait=200s', as: 'deployer', body: { candidate: 'v2', steps: [{ weight: 10, for: '20s' }, { weight: 50, for: '20s' }], bake: '20s', gates: [{ kind: 'errors', limitPercent: 1 }] } })
  if (n === 0) console.log(r.phase, r.reason, r.message)
})
console.log(result.hash, result.requests, result.virtualMs, result.broken, Number(process.hrtime.bigint() - t0) / 1e6)
}
