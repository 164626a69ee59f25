import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** OpenTelemetry's SDK in this process, with all that it exports kept in memory. */
export interface Observed {
  spans(): readonly ReadableSpan[]
  /** `name{attribute=value,…}` of every point of a metric, with its value, or how many a histogram has. */
  points(): Promise<Readonly<Record<string, number>>>
  /** Everything that would leave this process, as text. */
  exported(): Promise<string>
  clear(): void
}

export function observe(): Observed {
  const spanExporter = new InMemorySpanExporter()
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })] }),
  )
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  const collect = async () => {
    metricExporter.reset()
    await reader.forceFlush()
    return metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  }
  return {
    spans: () => spanExporter.getFinishedSpans(),
    clear: () => spanExporter.reset(),
    async points() {
      const points = (await collect()).flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => {
          const words = Object.entries(attributes).map(([name, word]) => `${name}=${word}`)
          return [`${descriptor.name}{${words.sort().join(',')}}`, countOf(value)] as const
        }),
      )
      return Object.fromEntries(points)
    },
    async exported() {
      const spans = spanExporter.getFinishedSpans().map(({ name, attributes, events, links, status, resource }) => {
        return { name, attributes, events, links, status, resource: resource.attributes }
      })
      return JSON.stringify([spans, await collect()])
    },
  }
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : Number(Reflect.get(value as object, 'count'))
}
