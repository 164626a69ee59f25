import { addWindow, NO_EVIDENCE } from '../src/judge/evidence.ts'
import { type GateQuestion, judgeGate } from '../src/judge/judge-gate.ts'
import { providerFor } from '../src/mesh/registry.ts'
import type { Rollout } from '../src/model/rollout.ts'
import { decide } from '../src/rollouts/decide.ts'
import type { Observations } from '../src/rollouts/observations.ts'
import { everything } from '../test/unit/mesh/istio/everything.ts'
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
    policy: spec,
    mesh: { provider: 'istio' as const },
    renderRevision: 7,
    weights: { v1: 90, v2: 10 },
  }
  const whole = everything()
  const [progressing, seen] = [step(), observed()]
  const minutes = Array.from({ length: 10 }, () => counted(118, 1, 980, 2))
  const question = asked(minutes.reduce(addWindow, NO_EVIDENCE), 0)
  return [
    { name: 'decide: a step under way', value: perCall(() => decide(progressing, seen)), unit: 'µs' },
    { name: 'judge: one gate', value: perCall(() => judgeGate(question), 50), unit: 'µs' },
    { name: 'render: a service on a cluster', value: perCall(() => provider.render(render)), unit: 'µs' },
    { name: 'render: a service with every field set', value: perCall(() => provider.render(whole), 100), unit: 'µs' },
    ...looksUntilHarm(),
  ]
}

function perCall(work: () => unknown, calls = 500): number {
  for (let warm = 0; warm < 200; warm += 1) work()
  const rounds = Array.from({ length: ROUNDS }, () => {
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

/** Ten seconds of counts. */
function counted(good: number, bad: number, stableGood: number, stableBad: number) {
  return {
    part: 0,
    spanMs: 10_000,
    candidate: { good, bad },
    stable: { good: stableGood, bad: stableBad },
  }
}

function asked(evidence: GateQuestion['evidence'][number], previousMaxE: number): GateQuestion {
  const defaults = { parts: 4, alpha: 0.01, alphaOfRollout: 0.01, limitPercent: 1, gMax: 2, minEvents: 50 }
  return { ...defaults, evidence: [evidence], previousMaxE, badMeans: 'failed' }
}

/** From the first bad answers to the verdict harm, for a version that fails one request in five and gets one in ten. */
function looksUntilHarm(): readonly Figure[] {
  return [10, 50, 200].map((perLook) => {
    let looks = 0
    let evidence = NO_EVIDENCE
    for (let [verdict, maxE] = ['', 0]; verdict !== 'harm'; ) {
      looks += 1
      evidence = addWindow(evidence, counted(perLook * 0.8, perLook * 0.2, perLook * 9, 0))
      const judged = judgeGate(asked(evidence, maxE))
      maxE = judged.maxE
      verdict = judged.verdict.verdict
    }
    return {
      name: `20 % failing, ${perLook} requests a look`,
      value: looks,
      unit: 'looks to harm',
      note: 'alpha 1 %, limit 1 %',
    }
  })
}
