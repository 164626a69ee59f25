import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { LogRecordExporter } from '@opentelemetry/sdk-logs'
import type { AggregationTemporalitySelector, PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { SpanExporter } from '@opentelemetry/sdk-trace'

/** Ways out of this process for what OpenTelemetry collects. */
export interface Exporters {
  readonly spans: SpanExporter
  readonly metrics: PushMetricExporter
  readonly logs: LogRecordExporter
}

/**
 * Exporters that are opened at their first export, when a call has ended: a cold start does not pay for them. While they
 * cannot be opened, what they are given is dropped.
 */
export function deferredExporters(
  open: () => Promise<Exporters>,
  selectAggregationTemporality: AggregationTemporalitySelector,
): Exporters {
  let opened: Promise<Exporters> | undefined
  const opening = () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
  const deferred = (kind: keyof Exporters) => ({
    export(items: never, done: (result: ExportResult) => void) {
      opening()
        .then((exporters) => exporters[kind].export(items, done))
        .catch((error: unknown) => done({ code: ExportResultCode.FAILED, error: errorOf(error) }))
    },
    forceFlush: async () => (await opened)?.[kind].forceFlush?.(),
    shutdown: async () => (await opened)?.[kind].shutdown(),
  })
  return {
    spans: deferred('spans'),
    metrics: { ...deferred('metrics'), selectAggregationTemporality },
    logs: deferred('logs'),
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
