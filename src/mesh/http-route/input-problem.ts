import { type Failure, fail } from '../../model/failure.ts'
import { unknownMatchParts } from '../candidate-problem.ts'
import type { RenderInput } from '../provider.ts'
import type { FieldError } from './sections.ts'

/** Versions that requests or copies are to go to and the service does not have, and matches of a newer Meshwright. */
export function inputProblem(input: RenderInput): Failure | undefined {
  const errors = [...missingVersions(input), ...unknownMatchParts(input)]
  if (errors.length === 0) return undefined
  return combination('The route names what the service does not have, or this version does not know.', errors)
}

/** The failure of fields that do not go together here. */
export function combination(detail: string, errors: readonly FieldError[]): Failure {
  const unique = new Map(errors.map((error) => [`${error.pointer} ${error.reason}`, error]))
  return fail('InvalidCombination', detail, { errors: [...unique.values()] }).failure
}

function missingVersions({ spec, policy, weights, candidate }: RenderInput): readonly FieldError[] {
  const { mirror, routes = [] } = policy.traffic ?? {}
  const named = [
    ...Object.keys(weights).map((version) => ({ version, pointer: `/versions/${version}` })),
    ...(candidate ? [{ version: candidate.version, pointer: `/versions/${candidate.version}` }] : []),
    ...(mirror ? [{ version: mirror.version, pointer: '/traffic/mirror/version' }] : []),
    ...routes.flatMap((route, index) =>
      route.mirror ? [{ version: route.mirror.version, pointer: `/traffic/routes/${index}/mirror/version` }] : [],
    ),
  ]
  return named
    .filter(({ version }) => !Object.hasOwn(spec.versions, version))
    .map(({ version, pointer }) => ({ pointer, reason: `the service has no version ${version}` }))
}

/** Versions whose answers callers get, in the order of names. */
export function servedVersions({ weights, candidate }: RenderInput): readonly string[] {
  const weighted = Object.keys(weights).filter((version) => (weights[version] ?? 0) > 0)
  return [...new Set(candidate ? [...weighted, candidate.version] : weighted)].sort()
}

/** Versions that a route names, at weight 0 and for copies too, in the order of names. */
export function namedVersions(input: RenderInput): readonly string[] {
  const { mirror, routes = [] } = input.policy.traffic ?? {}
  const copied = [mirror, ...routes.map((route) => route.mirror)].flatMap((one) => (one ? [one.version] : []))
  return [...new Set([...Object.keys(input.weights), ...servedVersions(input), ...copied])].sort()
}
