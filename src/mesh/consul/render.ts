import { type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import { candidateProblem } from '../candidate-problem.ts'
import { refusalOf } from '../capabilities.ts'
import { markedMetadata } from '../marks.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult, RenderStep } from '../provider.ts'
import { serviceIntentions } from './intentions.ts'
import { refTo, SERVICE_DEFAULTS, SERVICE_RESOLVER, SERVICE_SPLITTER, SETTLE_MS } from './names.ts'
import { consulProblem } from './problem.ts'
import { serviceResolver } from './resolver.ts'
import { serviceRouter } from './router.ts'
import { serviceSplitter } from './splitter.ts'

/** Protocol, who may call, subsets, split, routes: each waits until Consul has taken what it refers to. */
export function renderConsul(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('consul', input.spec, input.policy, input.mesh) ??
    candidateProblem(input) ??
    consulProblem(input)
  if (failure) return { ok: false, failure }
  const { weights, candidate } = input
  const served = Object.keys(weights).filter((version) => (weights[version] ?? 0) > 0)
  const ready: Barrier = { kind: 'endpoints-ready', versions: served.sort() }
  const intentions = serviceIntentions(input)
  const steps: RenderStep[] = [
    { object: serviceDefaults(input), barriers: [] },
    ...(intentions ? [{ object: intentions, barriers: [taken(refTo(SERVICE_DEFAULTS, input))] }] : []),
    { object: serviceResolver(input), barriers: [taken(refTo(SERVICE_DEFAULTS, input))] },
    {
      object: serviceSplitter(input),
      barriers: [taken(refTo(SERVICE_RESOLVER, input)), ready],
    },
    {
      object: serviceRouter(input),
      barriers: [
        taken(refTo(SERVICE_SPLITTER, input)),
        ...(candidate ? [{ kind: 'endpoints-ready', versions: [candidate.version] } as const] : []),
      ],
    },
  ]
  return { ok: true, steps, live: steps.map(({ object }) => taken(refOf(object))) }
}

function serviceDefaults(input: RenderInput): KubeObject {
  const { mtls } = input.policy.security ?? {}
  return {
    ...SERVICE_DEFAULTS,
    metadata: markedMetadata(input),
    spec: { protocol: input.spec.ports[0]?.protocol, ...(mtls === undefined ? {} : { mutualTLSMode: mtls }) },
  }
}

/** Consul has taken the object as it was written last (see `acceptance`), and proxies have had time to. */
export function taken(object: KubeRef): Barrier {
  return { kind: 'accepted', object, durationMs: SETTLE_MS }
}
