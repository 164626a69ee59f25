import type { MeasureName } from './measures.ts'

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Adds to what the running span tells: what is known only when the work is done. */
export type SpanNote = (attributes: SpanAttributes) => void

/** Traces and metrics (OpenTelemetry). Costs next to nothing while nobody listens. Never throws, never waits for an export. */
export interface Telemetry {
  /** Runs `work` in a span; a throw marks it failed. `parent` is a W3C traceparent that came with a message. */
  span<T>(name: string, attributes: SpanAttributes, work: (note: SpanNote) => Promise<T>, parent?: string): Promise<T>
  /** W3C traceparent of the current span, for a message; undefined outside of one. */
  traceparent(): string | undefined
  /** Adds to a counter. Names and units are in measures.ts and docs/operations.md. */
  count(name: MeasureName, attributes?: SpanAttributes, by?: number): void
  /** A value of a histogram. */
  record(name: MeasureName, value: number, attributes?: SpanAttributes): void
  /** A value that stands until the next one. */
  gauge(name: MeasureName, value: number, attributes?: SpanAttributes): void
}

/** For tests, tools, and where no endpoint is set: runs the work and keeps nothing. */
export const NO_TELEMETRY: Telemetry = {
  span: (_name, _attributes, work) => work(() => undefined),
  traceparent: () => undefined,
  count: () => undefined,
  record: () => undefined,
  gauge: () => undefined,
}
