import { type Failure, fail } from '../model/failure.ts'
import type { RouteMatch } from '../model/route-match.ts'
import type { RenderInput } from './provider.ts'

/**
 * What a rollout asks that nobody can render: versions that the service does not have, or a part of a match that a newer
 * Meshwright stored and this one does not know, for without it more requests would fit. Undefined: nothing.
 */
export function candidateProblem(input: Pick<RenderInput, 'spec' | 'weights' | 'candidate'>): Failure | undefined {
  return unknownVersions(input) ?? unknownMatches(input)
}

function unknownVersions({ spec, weights, candidate }: Pick<RenderInput, 'spec' | 'weights' | 'candidate'>) {
  const named = [...Object.keys(weights), ...(candidate ? [candidate.version] : [])]
  const missing = [...new Set(named)].filter((version) => !Object.hasOwn(spec.versions, version))
  if (missing.length === 0) return undefined
  return fail('InvalidCombination', `The route names ${missing.join(', ')}, which the service does not have.`, {
    errors: missing.map((version) => ({ pointer: `/versions/${version}`, reason: 'is missing' })),
  }).failure
}

function unknownMatches(input: Pick<RenderInput, 'candidate'>) {
  const errors = unknownMatchParts(input)
  if (errors.length === 0) return undefined
  const detail = `This version of Meshwright does not know ${errors.map(({ pointer }) => pointer).join(', ')}.`
  const hint = 'Update Meshwright, or abort the rollout and start it without the match.'
  return fail('UnsupportedFeature', detail, { errors, hint }).failure
}

/** Parts of a candidate's matches that a newer Meshwright stored and this one does not know: without one, more requests would fit. */
export function unknownMatchParts({ candidate }: Pick<RenderInput, 'candidate'>) {
  const known: readonly string[] = ['headers', 'cookie', 'path'] satisfies (keyof RouteMatch)[]
  return (candidate?.match ?? []).flatMap((match, index) =>
    Object.keys(match)
      .filter((part) => !known.includes(part))
      .map((part) => ({ pointer: `/match/${index}/${part}`, reason: 'is not known to this version' })),
  )
}
