import { sharedPolicySpec } from '../src/model/policy/shared-policy.ts'
import { advanceSpread } from '../src/policies/advance-spread.ts'
import { putPolicy } from '../src/policies/put-policy.ts'
import { aCaller, by } from '../test/unit/fakes/documents.ts'
import { FakeMetrics } from '../test/unit/fakes/fake-metrics.ts'
import type { Figure } from './figure.ts'

import { type Bench, OWN_WORDS_EVERY, openBench, reconcile, registerAll } from './fleet.ts'

const SERVICES = 500

/** A policy for five hundred services on a cluster: what it writes, there and in the store, and what it reads. */
export async function policyChange(): Promise<readonly Figure[]> {
  const bench = openBench()
  await registerAll(bench, SERVICES)
  const changed = SERVICES - SERVICES / OWN_WORDS_EVERY
  const body = { appliesTo: 'all', traffic: { timeout: '9s' } }
  const admin = by({ caller: aCaller({ roles: ['Mesh.Admin'] }) })
  bench.requests.splice(0)
  const startedMs = performance.now()
  const put = await putPolicy(
    { ...bench.deps, metrics: new FakeMetrics() },
    'limits',
    sharedPolicySpec.parse(body),
    admin,
  )
  if (!put.ok) throw new Error(put.failure.detail)
  const putMs = performance.now() - startedMs
  bench.store.writes = 0
  const waves = await untilApplied(bench)
  const writes = bench.requests.filter((request) => !request.startsWith('GET '))
  const objects = new Set(writes)
  return [
    {
      name: `policy for ${SERVICES} services, cluster`,
      value: writes.length,
      unit: 'writes',
      limit: changed,
      note: `${objects.size} objects, of the ${changed} services where it changes something; ${2 * SERVICES} objects are there`,
    },
    {
      name: `policy for ${SERVICES} services, cluster`,
      value: bench.requests.length - writes.length,
      unit: 'reads',
      note: `${((bench.requests.length - writes.length) / changed).toFixed(1)} a changed service`,
    },
    { name: `policy for ${SERVICES} services`, value: waves, unit: 'waves' },
    {
      name: `policy for ${SERVICES} services, checked at its PUT`,
      value: putMs,
      unit: 'ms',
      note: 'every service rendered twice, guard rails and references looked at; store in memory',
    },
  ]
}

/** Does the work that each wave asks for; how many there were. */
async function untilApplied(bench: Bench): Promise<number> {
  let taken = bench.store.sent.length
  for (;;) {
    const advanced = await advanceSpread(bench.deps, 'limits')
    if (!advanced.ok) throw new Error(advanced.failure.detail)
    const asked = bench.store.sent.slice(taken)
    taken = bench.store.sent.length
    for (const { message } of asked) if (message.kind === 'reconcile') await reconcile(bench, message.service)
    if (bench.store.get('policy', 'limits').dueAt === undefined) break
    bench.later(2000)
  }
  return bench.store.kept.filter(({ type }) => type === 'policy.wave').length
}
