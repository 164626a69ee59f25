import { type Failure, fail } from '../model/failure.ts'
import { jsonPointer } from '../model/json-pointer.ts'
import { policySpec } from '../model/policy/policy.ts'
import type { RenderInput } from './provider.ts'

/**
 * Why no mesh can be given this policy: a field that a newer Meshwright stored and this one does not know (it would be
 * dropped), or fields of several layers that do not go together. Undefined: nothing.
 */
export function policyProblem({ spec, policy }: Pick<RenderInput, 'spec' | 'policy'>): Failure | undefined {
  const {
    team,
    ports,
    versions,
    initialVersion,
    clusters,
    hosts,
    workload,
    mode,
    waive,
    onDrift,
    adopt,
    overrides,
    waves,
    ...rest
  } = spec
  const { traffic: _, security: _s, exposure: _e, egress: _g, telemetry: _t, ...unknown } = rest
  const { traffic, security, exposure, egress, telemetry } = policy
  const parsed = policySpec.safeParse({ traffic, security, exposure, egress, telemetry })
  const issues = parsed.error?.issues ?? []
  const pointers = [
    ...Object.keys(unknown).map((field) => `/${field}`),
    ...issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => jsonPointer([...issue.path, key])) : [],
    ),
  ]
  if (pointers.length > 0) {
    return fail('UnsupportedFeature', `This version of Meshwright does not know ${pointers.join(', ')}.`, {
      errors: pointers.map((pointer) => ({ pointer, reason: 'is not known to this version' })),
      hint: 'Update Meshwright, or PUT the service without the field.',
    }).failure
  }
  if (issues.length === 0) return undefined
  const errors = issues.map(({ path, message }) => ({ pointer: jsonPointer(path), reason: message }))
  return fail('InvalidCombination', 'The policy and its overrides do not go together.', { errors }).failure
}
