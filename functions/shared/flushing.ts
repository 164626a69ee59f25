import type { App } from '../../src/app.ts'
import type { Flush } from '../../src/start-telemetry.ts'

/** The app whose spans and log lines leave at the end of each call: between calls the host may give this process no time. */
export function flushing(app: App, flush: Flush): App {
  return {
    http: (request) => app.http(request).finally(flush.call),
    work: (message) => app.work(message).finally(flush.call),
    feed: (documents) => app.feed(documents).finally(flush.call),
    sweep: () => app.sweep().finally(flush.all),
    resync: () => app.resync().finally(flush.all),
    watch: () => app.watch().finally(flush.all),
    scan: () => app.scan().finally(flush.all),
  }
}
