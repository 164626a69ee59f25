import { type KubeObject, refOf } from '../../model/kube.ts'
import { candidateProblem } from '../candidate-problem.ts'
import { refusalOf } from '../capabilities.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult } from '../provider.ts'
import { type AppProtocols, versionServices, versionServicesProblem } from '../version-services.ts'
import { accessObjects } from './access.ts'
import { egressObjects } from './egress.ts'
import { SETTLE_MS } from './names.ts'
import { osmProblem } from './problem.ts'
import { trafficSettings } from './traffic-settings.ts'
import { trafficSplit } from './traffic-split.ts'

/** The names of protocols that the mesh knows. */
const APP_PROTOCOLS: AppProtocols = { http: 'http', http2: undefined, grpc: 'grpc', tcp: 'tcp' }

/** A Service a version, who may call them and how, then the split that names them. */
export function renderOsm(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('osm', input.spec, input.policy, input.mesh) ??
    candidateProblem(input) ??
    osmProblem(input) ??
    versionServicesProblem(input)
  if (failure) return { ok: false, failure }
  const services = versionServices(input, { appProtocols: APP_PROTOCOLS })
  const others = [...trafficSettings(input), ...accessObjects(input), ...egressObjects(input)]
  const split = trafficSplit(input)
  const served = Object.keys(input.weights).filter((version) => (input.weights[version] ?? 0) > 0)
  return {
    ok: true,
    steps: [
      ...[...services, ...others].map((object) => ({ object, barriers: [] })),
      { object: split, barriers: [...services.map(settled), { kind: 'endpoints-ready', versions: served.sort() }] },
    ],
    live: [settled(split)],
  }
}

export function settled(object: KubeObject): Barrier {
  return { kind: 'settled', object: refOf(object), durationMs: SETTLE_MS }
}
