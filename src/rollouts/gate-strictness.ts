import {
  type CountingGate,
  type CountsGate,
  comparedBy,
  type GateSpec,
  looksOf,
  queriesOf,
  sourceOf,
  type ValueGate,
} from '../model/gate.ts'

/** Does a gate look at what another looks at, and let no more pass? */
export function isAsStrict(own: GateSpec, base: GateSpec): boolean {
  if (sourceOf(own) !== sourceOf(base)) return false
  if (own.kind === 'value' || base.kind === 'value') {
    return own.kind === 'value' && base.kind === 'value' && isValueAsStrict(own, base)
  }
  if (own.limitPercent > base.limitPercent || comparesLess(own, base)) return false
  if (own.kind === 'counts' || base.kind === 'counts') {
    return own.kind === 'counts' && base.kind === 'counts' && sameQueries(own, base)
  }
  if (own.kind !== base.kind) return false
  return own.kind !== 'latency' || base.kind !== 'latency' || own.overMs <= base.overMs
}

/** Not at all, or up to more times stable's rate. */
function comparesLess(own: CountingGate, base: CountingGate): boolean {
  const most = (gate: CountingGate) => comparedBy(gate) ?? Number.POSITIVE_INFINITY
  return most(own) > most(base)
}

function sameQueries(own: CountsGate, base: CountsGate): boolean {
  const asked = (gate: CountsGate) => JSON.stringify([gate.use, gate.overMs, queriesOf(gate)])
  return asked(own) === asked(base)
}

function isValueAsStrict(own: ValueGate, base: ValueGate): boolean {
  const keepsMax = base.max === undefined || (own.max !== undefined && own.max <= base.max)
  const keepsMin = base.min === undefined || (own.min !== undefined && own.min >= base.min)
  return own.query === base.query && keepsMax && keepsMin && looksOf(own) <= looksOf(base)
}
