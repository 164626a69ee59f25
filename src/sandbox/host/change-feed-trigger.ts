import type { ChangeFeedSource, ContainerName, FeedPosition, FeedRange, Lease } from './change-feed-source.ts'
import type { RegisteredFunction } from './core-module.ts'
import type { HostClock } from './host-clock.ts'
import type { HostLog } from './host-log.ts'
import type { Invoker } from './invoker.ts'

/** A change feed trigger's settings after `%SETTING%` has been replaced. */
export interface FeedSettings {
  readonly monitored: ContainerName
  readonly leases: ContainerName
  /** Keeps apart functions that share a lease container. */
  readonly leasePrefix: string
  readonly createLeases: boolean
  /** Wait between two looks at a feed without news. */
  readonly pollMs: number
  /** Most documents an invocation gets; -1 leaves it to the service. */
  readonly maxItems: number
  /** Used only while there is no lease. */
  readonly start: FeedPosition
}

export interface ChangeFeedTriggerOptions {
  readonly fn: RegisteredFunction
  readonly settings: FeedSettings
  readonly source: ChangeFeedSource
  readonly invoker: Invoker
  readonly clock: HostClock
  readonly log: HostLog
  readonly signal: AbortSignal
}

/**
 * Feeds the changes of a container to a function as Azure's Cosmos DB trigger does: one batch at a time for each partition
 * key range, in order. The position is written to the lease container after the handler succeeded, or after its retry
 * policy is exhausted; *without a retry policy a failed batch is logged and lost*. A stop, a crash or a lost write of the
 * lease delivers the batch again. Resolves when `signal` has been aborted and the last batch is done. This host is the only
 * reader: it takes no ownership of leases, and does not follow a container whose ranges are split while it runs.
 */
export async function runChangeFeedTrigger(options: ChangeFeedTriggerOptions): Promise<void> {
  const { source, settings, signal } = options
  let ranges: readonly FeedRange[] | undefined
  while (!signal.aborted && !ranges) {
    ranges = await attempt(options, 'Starting', async () => {
      if (settings.createLeases) await source.createLeases(settings.leases)
      return source.ranges(settings.monitored)
    })
  }
  await Promise.all((ranges ?? []).map((range) => followRange(options, range)))
}

async function followRange(options: ChangeFeedTriggerOptions, range: FeedRange): Promise<void> {
  const { signal, clock, settings } = options
  let lease: Lease | undefined
  while (!signal.aborted) {
    const known = lease
    const step = await attempt(options, 'Reading', async () =>
      readBatch(options, range, known ?? (await openLease(options, range))),
    )
    // After a failure, or when another writer was faster, the lease is what the container says.
    lease = step?.lease
    if (step && !step.news) await clock.sleep(settings.pollMs, signal)
  }
}

/** One page: hands it to the function and moves the lease on. `lease` is undefined when it could not be moved. */
async function readBatch(
  options: ChangeFeedTriggerOptions,
  range: FeedRange,
  lease: Lease,
): Promise<{ lease: Lease | undefined; news: boolean }> {
  const { source, settings, invoker, signal } = options
  const position = lease.continuation === '' ? settings.start : { after: lease.continuation }
  const page = await source.read(settings.monitored, range, position, settings.maxItems)
  const news = page.documents.length > 0
  if (news && !signal.aborted) {
    const data = { input: { json: JSON.stringify(page.documents) }, metadata: {} }
    const outcome = await invoker.invokeWithRetries(options.fn, data, signal)
    if (!outcome.succeeded && signal.aborted) return { lease, news }
    if (!outcome.succeeded)
      report(options, `A batch of ${page.documents.length} changes failed for good and is skipped`)
  } else if (news || page.continuation === lease.continuation) return { lease, news }
  const moved = { ...lease, continuation: page.continuation }
  return { lease: await source.saveLease(settings.leases, moved), news }
}

async function openLease(options: ChangeFeedTriggerOptions, range: FeedRange): Promise<Lease> {
  const { monitored, leases, leasePrefix } = options.settings
  const id = `${leasePrefix}${monitored.database}_${monitored.container}..${range.id}`
  const stored = await options.source.loadLease(leases, id)
  return stored ?? { id, rangeId: range.id, continuation: '', etag: undefined }
}

/** The result, or undefined after a failure, which is logged and followed by a wait. */
async function attempt<T>(
  options: ChangeFeedTriggerOptions,
  what: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    report(options, `${what} the change feed of ${options.settings.monitored.container} failed: ${error}`)
    await options.clock.sleep(options.settings.pollMs, options.signal)
    return undefined
  }
}

function report(options: ChangeFeedTriggerOptions, message: string): void {
  options.log({ level: 'error', category: 'system', functionName: options.fn.metadata.name, message })
}
