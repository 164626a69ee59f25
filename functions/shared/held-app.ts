import type { App } from '../../src/app.ts'
import { flushing } from './flushing.ts'

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

/** What is told of itself leaves at the end of each call, where it has somewhere to go. */
async function start(): Promise<App> {
  const [{ createApp, loadSettings }, { startTelemetry }] = await Promise.all([
    import('../../src/app.ts'),
    import('../../src/start-telemetry.ts'),
  ])
  const settings = loadSettings()
  const told = await startTelemetry(settings)
  return told ? flushing(createApp(settings, told.overrides), told.flush) : createApp(settings)
}
