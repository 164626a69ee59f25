import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { Exporters } from './exporters.ts'

/** OTLP over HTTP, as the variables `OTEL_EXPORTER_OTLP_*` say. */
export function otlpExporters(): Exporters {
  return { spans: new OTLPTraceExporter(), metrics: new OTLPMetricExporter(), logs: new OTLPLogExporter() }
}
