import { withReadyQueries } from '../mesh/ready-gates.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { GateSpec } from '../model/gate.ts'

/** Gates with the queries of the ready-made ones that they name: what a rollout keeps is what it asks. */
export function resolveGates(gates: readonly GateSpec[], own: boolean): Result<readonly GateSpec[]> {
  const resolved: GateSpec[] = []
  for (const [index, gate] of gates.entries()) {
    const found = gate.kind === 'counts' ? withReadyQueries(gate) : gate
    if (!('field' in found)) {
      resolved.push(found)
      continue
    }
    const name = gate.kind === 'counts' ? gate.use : gate.kind
    return fail('UnknownReference', `Gate ${index} cannot be the ready-made gate ${name}.`, {
      errors: [{ pointer: own ? `/gates/${index}/${found.field}` : '/strategy', reason: found.reason }],
      hint: 'GET /capabilities lists the ready-made gates.',
    })
  }
  return succeed(resolved)
}
