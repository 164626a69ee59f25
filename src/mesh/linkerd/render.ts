import { type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import { durationMs } from '../../model/names.ts'
import { refusalOf } from '../capabilities.ts'
import { combination, inputProblem, servedVersions } from '../http-route/input-problem.ts'
import { SETTLE_MS } from '../http-route/names.ts'
import type { FieldError } from '../http-route/sections.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult } from '../provider.ts'
import { versionServices, versionServicesProblem } from '../version-services.ts'
import { CONTROLLER, SERVER } from './names.ts'
import { portRoutes } from './routes.ts'
import { securityErrors, securityObjects } from './security.ts'

/** A Service a version, who may call, then a route on the service's own Service for each port. */
export function renderLinkerd(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('linkerd', input.spec, input.policy, input.mesh) ??
    inputProblem(input) ??
    versionServicesProblem(input)
  if (failure) return { ok: false, failure }
  const routes = portRoutes(input)
  const errors = [...routes.errors, ...securityErrors(input), ...outlierErrors(input)]
  if (errors.length > 0) return { ok: false, failure: combination('Linkerd cannot express this.', errors) }

  const services = versionServices(input, { annotations: outlierAnnotations(input) })
  const security = securityObjects(input)
  const rules = security.filter(({ kind }) => kind !== SERVER.kind)
  const ready: Barrier = { kind: 'endpoints-ready', versions: servedVersions(input) }
  return {
    ok: true,
    steps: [
      ...services.map((object) => ({ object, barriers: [] })),
      ...security.map((object) => ({ object, barriers: object.kind === SERVER.kind ? settled(rules) : [] })),
      ...routes.objects.map((object) => ({ object, barriers: [...settled(services), ready] })),
    ],
    live: routes.objects.map((object) => accepted(refOf(object))),
  }
}

function accepted(object: KubeRef): Barrier {
  return { kind: 'accepted', object, durationMs: SETTLE_MS, controller: CONTROLLER }
}

function settled(objects: readonly KubeObject[]): readonly Barrier[] {
  return objects.map((object) => ({ kind: 'settled', object: refOf(object), durationMs: SETTLE_MS }))
}

const EJECTION_MS = 30_000
const LONGEST_EJECTION_MS = 300_000

/** Failure accrual stands on the Services that requests are balanced over. */
function outlierAnnotations({ policy }: RenderInput): Readonly<Record<string, string>> {
  const { outliers } = policy.traffic ?? {}
  if (!outliers) return {}
  const least = outliers.ejectionTime === undefined ? EJECTION_MS : durationMs(outliers.ejectionTime)
  const key = 'balancer.linkerd.io/failure-accrual'
  return {
    [key]: 'consecutive',
    [`${key}-consecutive-max-failures`]: String(outliers.consecutiveErrors),
    [`${key}-consecutive-min-penalty`]: `${least}ms`,
    [`${key}-consecutive-max-penalty`]: `${Math.max(least, LONGEST_EJECTION_MS)}ms`,
    [`${key}-consecutive-jitter-ratio`]: '0.0',
  }
}

function outlierErrors({ policy, spec }: RenderInput): readonly FieldError[] {
  if (!policy.traffic?.outliers) return []
  return Object.entries(spec.versions).flatMap(([version, { service }]) =>
    service === undefined
      ? []
      : [
          {
            pointer: `/versions/${version}/service`,
            reason: `outliers are annotations of ${service}, which is not ours: leave it out, and Meshwright makes one`,
          },
        ],
  )
}
