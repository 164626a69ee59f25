import { context, metrics, trace } from '@opentelemetry/api'
import { type AnyValueMap, SeverityNumber } from '@opentelemetry/api-logs'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { setGlobalErrorHandler } from '@opentelemetry/core'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { LogLevel } from '../ports/logger.ts'
import type { Exporters } from './exporters.ts'
import type { LogSink } from './json-logger.ts'

const exportTimeoutMillis = 5000
const metricsEveryMillis = 30_000

const SEVERITIES: Readonly<Record<LogLevel, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
}

/** Sends what has been collected. Waits for nothing, fails for nobody. */
export interface Flush {
  /** Spans and log lines: at the end of each call. */
  call(): void
  /** Metrics too. */
  all(): void
}

/**
 * Registers OpenTelemetry's SDK in this process, as `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` name it; by itself
 * it has the app's name in Azure, which the Functions host has too. What exporters do not get through is dropped; `failed`
 * is told of it.
 */
export function startExport(
  exporters: readonly Exporters[],
  failed: (error: unknown) => void,
): { readonly flush: Flush; readonly logSink: LogSink } {
  setGlobalErrorHandler(failed)
  const resource = resourceFromAttributes({ 'service.name': process.env.WEBSITE_SITE_NAME ?? 'meshwright' }).merge(
    detectResources({ detectors: [envDetector] }),
  )
  const spanProcessors = exporters.map(({ spans }) => new BatchSpanProcessor({ exporter: spans, exportTimeoutMillis }))
  const processors = exporters.map(({ logs }) => new BatchLogRecordProcessor({ exporter: logs, exportTimeoutMillis }))
  const readers = exporters.map((each) => {
    const every = { exportIntervalMillis: metricsEveryMillis, exportTimeoutMillis }
    return new PeriodicExportingMetricReader({ exporter: each.metrics, ...every })
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new TracerProvider({ resource, spanProcessors }))
  metrics.setGlobalMeterProvider(new MeterProvider({ resource, readers }))
  const logger = new LoggerProvider({ resource, processors }).getLogger('meshwright')
  const flushAll = (all: readonly { forceFlush(): Promise<void> }[]) => {
    for (const each of all) void each.forceFlush().catch(failed)
  }
  const call = () => flushAll([...spanProcessors, ...processors])
  const all = () => flushAll([...spanProcessors, ...processors, ...readers])
  return { flush: { call, all }, logSink: (level, line) => logger.emit(recordOf(level, line)) }
}

/** A line as a record: the name of the event as its body, the fields (the event among them) as attributes. */
function recordOf(level: LogLevel, line: string) {
  const { time: _time, level: _level, ...attributes } = JSON.parse(line) as AnyValueMap
  return {
    severityNumber: SEVERITIES[level],
    severityText: level,
    body: attributes.event,
    attributes,
  }
}
