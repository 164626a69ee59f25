import {
  type Context,
  type Counter,
  context,
  type Gauge,
  type Histogram,
  type Meter,
  metrics,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { MEASURES, type MeasureName } from '../ports/measures.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** W3C Trace Context, version 00: https://www.w3.org/TR/trace-context/#traceparent-header. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** By the first word of a span's name; everything else is work of our own. */
const KINDS: Readonly<Record<string, SpanKind>> = {
  http: SpanKind.SERVER,
  work: SpanKind.CONSUMER,
  kubernetes: SpanKind.CLIENT,
  outside: SpanKind.CLIENT,
}

/**
 * Traces and metrics by OpenTelemetry's API: whoever has registered an SDK in this process gets them, and nothing is kept
 * when nobody has. Of an error only its class, kind and reason are told: messages hold names of things, and may hold more.
 */
export function openTelemetry(): Telemetry {
  const tracer: Tracer = trace.getTracer('meshwright')
  const instruments = new Map<MeasureName, Instrument>()
  const instrument = (name: MeasureName) => {
    const known = instruments.get(name) ?? createInstrument(metrics.getMeter('meshwright'), name)
    instruments.set(name, known)
    return known
  }
  return {
    span(name, attributes, work, parent) {
      const kind = KINDS[name.split(' ', 1)[0] ?? ''] ?? SpanKind.INTERNAL
      return tracer.startActiveSpan(name, { kind, attributes: { ...attributes } }, parentOf(parent), async (span) => {
        try {
          return await work((more) => void span.setAttributes({ ...more }))
        } catch (error) {
          span.setAttributes(errorAttributes(error))
          span.setStatus({ code: SpanStatusCode.ERROR })
          throw error
        } finally {
          span.end()
        }
      })
    },
    traceparent() {
      const current = trace.getActiveSpan()?.spanContext()
      if (current === undefined) return undefined
      const parent = `00-${current.traceId}-${current.spanId}-${(current.traceFlags & 1).toString(16).padStart(2, '0')}`
      return TRACEPARENT.test(parent) ? parent : undefined
    },
    count: (name, attributes = {}, by = 1) => instrument(name).add(by, { ...attributes }),
    record: (name, value, attributes = {}) => instrument(name).add(value, { ...attributes }),
    gauge: (name, value, attributes = {}) => instrument(name).add(value, { ...attributes }),
  }
}

/** The context of the span that a traceparent names; the current one without, or when it is broken. */
function parentOf(parent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(parent ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return context.active()
  const traceFlags = Number.parseInt(flags, 16) & 1
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags, isRemote: true })
}

function errorAttributes(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { 'error.type': typeof error }
  if (!isPortError(error)) return { 'error.type': error.name }
  return { 'error.type': error.kind, ...(error.reason === undefined ? {} : { 'error.reason': error.reason }) }
}

interface Instrument {
  add(value: number, attributes: Record<string, string | number | boolean>): void
}

function createInstrument(meter: Meter, name: MeasureName): Instrument {
  const { kind, unit, tells } = MEASURES[name]
  const options = { unit, description: tells }
  if (kind === 'counter') return meter.createCounter(name, options) satisfies Counter
  const recorder: Histogram | Gauge =
    kind === 'histogram' ? meter.createHistogram(name, options) : meter.createGauge(name, options)
  return { add: (value, attributes) => recorder.record(value, attributes) }
}
