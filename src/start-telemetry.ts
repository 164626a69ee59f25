import type { Exporters } from './adapters/exporters.ts'
import { jsonLogger, type LogSink } from './adapters/json-logger.ts'
import { managedIdentity } from './adapters/managed-identity.ts'
import { standardError } from './adapters/standard-error.ts'
import { systemClock } from './adapters/system-clock.ts'
import type { Flush } from './adapters/telemetry-export.ts'
import type { Overrides } from './open-ports.ts'
import { optional } from './optional.ts'
import type { Telemetry } from './ports/telemetry.ts'
import type { Settings } from './settings.ts'

export type { Flush } from './adapters/telemetry-export.ts'

/** The adapter of OpenTelemetry, for who has registered an SDK in this process. */
export async function loadTelemetry(): Promise<Telemetry> {
  const { openTelemetry } = await import('./adapters/open-telemetry.ts')
  return openTelemetry()
}

/** What startTelemetry has registered: how an app tells of itself, and how that is sent. */
export interface Telling {
  readonly overrides: Required<Pick<Overrides, 'telemetry' | 'logSink'>>
  readonly flush: Flush
}

/**
 * Registers OpenTelemetry in this process when the settings say where to export to; log lines are exported besides being
 * written. Undefined when there is nowhere: nothing of it is loaded then.
 */
export async function startTelemetry(
  settings: Settings,
  { azureHttp, credential }: Pick<Overrides, 'azureHttp' | 'credential'> = {},
): Promise<Telling | undefined> {
  if (!settings.telemetry) return undefined
  const { otlp, applicationInsights: insights } = settings.telemetry
  const exporters: Exporters[] = []
  const failed = firstTime((error) => {
    jsonLogger(standardError, systemClock()).log('warn', 'telemetry.not-exported', { error })
  })
  if (otlp) exporters.push((await import('./adapters/otlp-exporters.ts')).otlpExporters())
  if (insights) {
    const { applicationInsights } = await import('./adapters/application-insights.ts')
    const identity = insights.identity && (credential ?? managedIdentity(insights.identity.clientId))
    const { connectionString } = insights
    const options = { ...optional('credential', identity), ...optional('httpClient', azureHttp) }
    exporters.push(applicationInsights({ connectionString, failed, ...options }))
  }
  const { startExport } = await import('./adapters/telemetry-export.ts')
  const { flush, logSink } = startExport(exporters, failed)
  const both: LogSink = (level, line) => {
    standardError(level, line)
    logSink(level, line)
  }
  return { overrides: { telemetry: await loadTelemetry(), logSink: both }, flush }
}

function firstTime(tell: (error: unknown) => void): (error: unknown) => void {
  let told = false
  return (error) => {
    if (!told) tell(error)
    told = true
  }
}
