import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { App } from '../../src/app.ts'

const exportTimeoutMillis = 5000
const metricsEveryMillis = 30_000

/** Sends what has been collected. Waits for nothing, fails for nobody. */
export interface Flush {
  spans(): void
  all(): void
}

/**
 * Registers OpenTelemetry's SDK in this process; it exports by OTLP over HTTP as the variables `OTEL_EXPORTER_OTLP_*`,
 * `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say. An endpoint that does not answer costs what it did not take.
 */
export function startExport(): Flush {
  const resource = resourceFromAttributes({ 'service.name': 'meshwright' }).merge(
    detectResources({ detectors: [envDetector] }),
  )
  const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), exportTimeoutMillis })
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: metricsEveryMillis,
    exportTimeoutMillis,
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new TracerProvider({ resource, spanProcessors: [processor] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ resource, readers: [reader] }))
  const ignored = () => undefined
  const spans = () => void processor.forceFlush().catch(ignored)
  const all = () => {
    spans()
    void reader.forceFlush().catch(ignored)
  }
  return { spans, all }
}

/** The app whose spans leave at the end of each call: between calls the host may give this process no time. */
export function flushing(app: App, flush: Flush): App {
  return {
    http: (request) => app.http(request).finally(flush.spans),
    work: (message) => app.work(message).finally(flush.spans),
    feed: (documents) => app.feed(documents).finally(flush.spans),
    sweep: () => app.sweep().finally(flush.all),
    resync: () => app.resync().finally(flush.all),
    scan: () => app.scan().finally(flush.all),
  }
}
