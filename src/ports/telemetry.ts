export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Traces and metrics (OpenTelemetry). Costs next to nothing while nobody listens. Never throws. */
export interface Telemetry {
  /** Runs `work` in a span; a throw marks it failed. `parent` is a W3C traceparent that came with a message. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>, parent?: string): Promise<T>
  /** W3C traceparent of the current span, for a message; undefined outside of one. */
  traceparent(): string | undefined
  /** Adds to a counter. Names and units are in docs/operations.md. */
  count(name: string, attributes?: SpanAttributes, by?: number): void
  /** A value of a histogram (milliseconds). */
  record(name: string, value: number, attributes?: SpanAttributes): void
  /** A value that stands until the next one. */
  gauge(name: string, value: number, attributes?: SpanAttributes): void
}

/** For tests and tools: runs the work and keeps nothing. */
export const NO_TELEMETRY: Telemetry = {
  span: (_name, _attributes, work) => work(),
  traceparent: () => undefined,
  count: () => undefined,
  record: () => undefined,
  gauge: () => undefined,
}
