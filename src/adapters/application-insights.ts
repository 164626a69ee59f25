import type { TokenCredential } from '@azure/core-auth'
import type { HttpClient, PipelinePolicy } from '@azure/core-rest-pipeline'
import { SpanKind } from '@opentelemetry/api'
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { deferredExporters, type Exporters } from './exporters.ts'

export interface ApplicationInsightsOptions {
  readonly connectionString: string
  /** For resources that take no keys (local authentication off); absent: the key of the connection string is enough. */
  readonly credential?: TokenCredential
  /** Absent: the exporter's own, over sockets. */
  readonly httpClient?: HttpClient
  /** Told of what was not taken: the exporter itself calls that a success when it keeps nothing on disk. */
  readonly failed: (error: unknown) => void
}

/** What the exporter would do besides: tell Microsoft of itself, and send a metric with each batch of spans. */
const TURNED_OFF = ['APPLICATION_INSIGHTS_NO_STATSBEAT', 'APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED']

/**
 * Straight into Application Insights, by the exporter of Azure Monitor's OpenTelemetry distribution. What the ingestion
 * endpoint does not take after the SDK's retries is dropped: the disk of an instance does not outlive it.
 */
export function applicationInsights({ failed, ...options }: ApplicationInsightsOptions): Exporters {
  const open = async (): Promise<Exporters> => {
    for (const name of TURNED_OFF) process.env[name] ??= 'true'
    const monitor = await import('@azure/monitor-opentelemetry-exporter')
    const additionalPolicies = [{ policy: watched(failed), position: 'perCall' as const }]
    const given = { ...options, additionalPolicies, disableOfflineStorage: true }
    const spans = new monitor.AzureMonitorTraceExporter(given)
    return {
      spans: {
        export: (all, done) => spans.export(all.map(named), done),
        shutdown: () => spans.shutdown(),
      },
      metrics: new monitor.AzureMonitorMetricExporter(given),
      logs: new monitor.AzureMonitorLogExporter(given),
    }
  }
  return deferredExporters(open, temporality)
}

/** Sees each batch once, after all retries. */
function watched(failed: (error: unknown) => void): PipelinePolicy {
  return {
    name: 'watched',
    async sendRequest(request, next) {
      try {
        const answer = await next(request)
        if (answer.status >= 400) failed(new Error(`Application Insights answered ${answer.status}`))
        return answer
      } catch (error) {
        failed(error)
        throw error
      }
    },
  }
}

/** The exporter gives a name to requests over HTTP by itself, and to those of a queue only by this attribute. */
function named(span: ReadableSpan): ReadableSpan {
  if (span.kind !== SpanKind.CONSUMER) return span
  return Object.create(span, { attributes: { value: { ...span.attributes, 'ai.operation.name': span.name } } })
}

/** As the exporter itself asks for: what has been added since the last export, for all that only grows. */
function temporality(type: InstrumentType): AggregationTemporality {
  const isUpDown = type === InstrumentType.UP_DOWN_COUNTER || type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER
  return isUpDown ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA
}
