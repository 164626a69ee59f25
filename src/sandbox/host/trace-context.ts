import { randomBytes } from 'node:crypto'
import type { TraceContextData } from './core-types.ts'

/**
 * The W3C trace context of an invocation: a new span in the caller's trace when `traceParent` is one, else a new, unsampled
 * trace. https://www.w3.org/TR/trace-context/
 */
export function newTraceContext(traceParent?: string, traceState?: string): TraceContextData {
  const spanId = randomBytes(8).toString('hex')
  const parent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceParent ?? '')
  const traceId = parent?.[1]
  if (traceId === undefined || /^0+$/.test(traceId) || /^0+$/.test(parent?.[2] ?? '')) {
    return { traceParent: `00-${randomBytes(16).toString('hex')}-${spanId}-00`, traceState: '', attributes: {} }
  }
  return { traceParent: `00-${traceId}-${spanId}-${parent?.[3]}`, traceState: traceState ?? '', attributes: {} }
}
