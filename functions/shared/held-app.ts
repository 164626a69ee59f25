import type { App } from '../../src/app.ts'

let held: Promise<App> | undefined

/** The one app of this process, made at the first call: a start that serves no request loads nothing of it. */
export function heldApp(): Promise<App> {
  held ??= start().catch((error: unknown) => {
    // The next call tries again: settings may come from a store that did not answer.
    held = undefined
    throw error
  })
  return held
}

/** Traces and metrics are loaded only where they have somewhere to go. */
async function start(): Promise<App> {
  const { createApp, loadSettings, loadTelemetry } = await import('../../src/app.ts')
  const settings = loadSettings()
  if (!settings.telemetry) return createApp(settings)
  const { flushing, startExport } = await import('./telemetry.ts')
  const flush = startExport()
  return flushing(createApp(settings, { telemetry: await loadTelemetry() }), flush)
}
