import { judgeLimit } from '../src/judge/judge-limit.ts'
import { providerFor } from '../src/mesh/registry.ts'
import type { Rollout } from '../src/model/rollout.ts'
import { decide } from '../src/rollouts/decide.ts'
import type { Observations } from '../src/rollouts/observations.ts'
import { rollout, serviceDocument } from '../test/unit/reconcile/world.ts'
import { type Figure, median } from './figure.ts'

const ROUNDS = 9
const NOW = Date.parse('2026-01-01T00:10:00Z')

/** The pure core, in microseconds a call: what a decision, a verdict and a render cost beside the requests around them. */
export async function pureFunctions(): Promise<readonly Figure[]> {
  const provider = providerFor('istio')
  if (!provider) throw new Error('istio is not registered')
  const { namespace, name, spec } = serviceDocument()
  const render = {
    namespace,
    name,
    spec,
    mesh: { provider: 'istio' as const },
    renderRevision: 7,
    weights: { v1: 90, v2: 10 },
  }
  const [progressing, seen] = [step(), observed()]
  const counts = { candidate: { good: 1180, bad: 9 }, stable: { good: 9800, bad: 20 } }
  return [
    { name: 'decide: a step under way', value: perCall(() => decide(progressing, seen)), unit: 'µs' },
    {
      name: 'judge: one gate',
      value: perCall(() => judgeLimit({ ...counts, limitPercent: 1, alpha: 0.001 })),
      unit: 'µs',
    },
    { name: 'render: a service on a cluster', value: perCall(() => provider.render(render)), unit: 'µs' },
    ...looksUntilHarm(),
  ]
}

function perCall(work: () => unknown): number {
  for (let warm = 0; warm < 200; warm += 1) work()
  const rounds = Array.from({ length: ROUNDS }, () => {
    const calls = 500
    const startedAt = performance.now()
    for (let call = 0; call < calls; call += 1) work()
    return ((performance.now() - startedAt) / calls) * 1000
  })
  return median(rounds)
}

function step(): Rollout {
  const at = '2026-01-01T00:00:00.000Z'
  return {
    ...rollout('progressing', 10, 100),
    steps: [{ weight: 10, for: '20m' }],
    step: 0,
    liveAt: at,
    phaseSince: at,
    gates: [{ kind: 'errors', limitPercent: 1 }],
  }
}

function observed(): Observations {
  const target = {
    liveRevision: 100,
    liveAt: NOW,
    reachable: true,
    gone: false,
    stableReady: 2,
    candidateReady: 2,
    weightChanged: false,
  }
  return {
    now: NOW,
    targets: { east: target },
    slot: true,
    delayMs: 30_000,
    everyMs: 10_000,
    progress: [],
    observedWeights: {},
  }
}

/** From the first bad answers to the verdict harm, for a version that fails one request in five. */
function looksUntilHarm(): readonly Figure[] {
  const alpha = 0.01 / 4
  return [10, 50, 200].map((perLook) => {
    let looks = 0
    let maxE = 0
    for (let verdict = ''; verdict !== 'harm'; ) {
      looks += 1
      const events = looks * perLook
      const bad = Math.round(events / 5)
      const judged = judgeLimit({ candidate: { good: events - bad, bad }, limitPercent: 1, alpha, previousMaxE: maxE })
      maxE = judged.maxE
      verdict = judged.verdict
    }
    return {
      name: `20 % failing, ${perLook} requests a look`,
      value: looks,
      unit: 'looks to harm',
      note: `alpha ${alpha}, limit 1 %`,
    }
  })
}
