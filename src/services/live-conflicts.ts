import { canonicalJson } from '../model/digest.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { ServiceSpec } from '../model/service.ts'

/**
 * What a new spec would take away from under a live rollout, or from a cluster where it is stable; undefined when
 * nothing. Versions are compared with their labels: changing them under traffic is the classic outage.
 */
export function liveConflict(
  before: ServiceDocument,
  spec: ServiceSpec,
  chosen: readonly string[],
): Failure | undefined {
  const errors: { pointer: string; reason: string }[] = []
  for (const rollout of before.rollouts) {
    const because = `the live rollout ${rollout.id} needs it`
    for (const target of rollout.targets) {
      // On the way back a cluster may go: one that never answers would hold the rollout for ever.
      if (!chosen.includes(target.cluster) && rollout.phase !== 'rolling-back') {
        errors.push({ pointer: '/clusters', reason: `takes away ${target.cluster}: ${because}` })
      }
      for (const version of [target.stable, target.candidate]) {
        if (canonicalJson(before.spec.versions[version]) !== canonicalJson(spec.versions[version])) {
          errors.push({ pointer: `/versions/${version}`, reason: `cannot change: ${because}` })
        }
      }
    }
    for (const port of before.spec.ports) {
      if (!spec.ports.some((other) => canonicalJson(other) === canonicalJson(port))) {
        errors.push({ pointer: '/ports', reason: `takes away or changes port ${port.port}: ${because}` })
      }
    }
    if (spec.mode === 'observe') errors.push({ pointer: '/mode', reason: `cannot be observe: ${because}` })
    if (spec.traffic?.weights) errors.push({ pointer: '/traffic/weights', reason: `cannot be fixed: ${because}` })
  }
  if (errors.length > 0) {
    const unique = [...new Map(errors.map((error) => [error.pointer + error.reason, error])).values()]
    return fail('RolloutInFlight', 'The change would pull something away from under a live rollout.', {
      errors: unique,
    }).failure
  }
  return stableConflict(before, spec, chosen)
}

function stableConflict(before: ServiceDocument, spec: ServiceSpec, chosen: readonly string[]): Failure | undefined {
  const errors = chosen.flatMap((cluster) => {
    const stable = before.targets[cluster]?.stable
    if (stable === undefined || Object.hasOwn(spec.versions, stable)) return []
    return [{ pointer: `/versions/${stable}`, reason: `cannot be removed: it is stable on ${cluster}` }]
  })
  if (errors.length === 0) return undefined
  return fail('Conflict', 'The change removes a version that serves traffic.', {
    errors,
    hint: 'Roll out another version first, then remove this one.',
  }).failure
}
