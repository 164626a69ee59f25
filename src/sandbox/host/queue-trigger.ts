import { createBackoff } from './backoff.ts'
import type { RegisteredFunction } from './core-module.ts'
import type { TypedData } from './core-types.ts'
import type { HostClock } from './host-clock.ts'
import type { HostLog } from './host-log.ts'
import type { QueueSettings } from './host-settings.ts'
import type { Invoker } from './invoker.ts'
import type { QueueMessage, QueueSource } from './queue-source.ts'

export interface QueueTriggerOptions {
  readonly fn: RegisteredFunction
  /** The queue's name after `%SETTING%` has been replaced. */
  readonly queue: string
  readonly source: QueueSource
  readonly settings: QueueSettings
  /** How long a message is hidden while it is worked on; renewed at half. Azure's is ten minutes. */
  readonly lockMs: number
  readonly invoker: Invoker
  readonly clock: HostClock
  /** Numbers in [0, 1), for the jitter of polling. */
  readonly random: () => number
  readonly log: HostLog
  readonly signal: AbortSignal
}

const leastPollingMs = 100
/** Given as the reason, for without one each message would make an exception with a stack. */
const OVER = new Error('it is over')

/**
 * Feeds a queue to a function as Azure's QueueListener does: takes batches whenever at most `newBatchThreshold` messages are
 * at work, polls an empty queue less and less often up to `maxPollingInterval`, keeps what is at work hidden, deletes on
 * success, shows a failed message again after `visibilityTimeout`, and moves it to `<queue>-poison` after
 * `maxDequeueCount` tries. At least once, in no order. Resolves when `signal` has been aborted and the last message is done.
 */
export async function runQueueTrigger(options: QueueTriggerOptions): Promise<void> {
  const { settings, signal, clock } = options
  const working = new Set<Promise<void>>()
  const backoff = createBackoff(leastPollingMs, settings.maxPollingIntervalMs, options.random)
  while (!signal.aborted) {
    if (working.size > settings.newBatchThreshold) {
      await Promise.race(working)
      continue
    }
    const messages = await receive(options)
    for (const message of messages) {
      const work = handleMessage(options, message).finally(() => working.delete(work))
      working.add(work)
    }
    await clock.sleep(backoff.next(messages.length > 0), signal)
  }
  await Promise.all(working)
}

async function receive(options: QueueTriggerOptions): Promise<readonly QueueMessage[]> {
  try {
    return await options.source.receive(options.queue, options.settings.batchSize, options.lockMs)
  } catch (error) {
    report(options, 'error', `Polling the queue ${options.queue} failed: ${error}`)
    return []
  }
}

/** Never rejects: a message whose fate could not be stored comes into view again by itself. */
async function handleMessage(options: QueueTriggerOptions, received: QueueMessage): Promise<void> {
  const { settings, source, queue } = options
  try {
    const text = decode(received.text, settings.messageEncoding)
    if (text === undefined || received.dequeueCount > settings.maxDequeueCount) return await poison(options, received)

    const renewal = keepHidden(options, received)
    const data = { input: { string: text }, metadata: metadataOf(received, text) }
    const outcome = await options.invoker.invoke(options.fn, data)
    const message = await renewal.end()
    if (outcome.succeeded) {
      if (!(await source.remove(queue, message)))
        report(options, 'warning', `${message.id} was no longer held when done`)
    } else if (received.dequeueCount >= settings.maxDequeueCount) {
      await poison(options, message)
    } else if (!isPoisonQueue(queue)) {
      await source.hide(queue, message, settings.visibilityTimeoutMs)
    }
  } catch (error) {
    report(options, 'error', `Message ${received.id} of ${queue}: ${error}`)
  }
}

/** Extends the hiding of a message at half its time until `end`, which gives the message with its last receipt. */
function keepHidden(options: QueueTriggerOptions, received: QueueMessage): { end(): Promise<QueueMessage> } {
  const over = new AbortController()
  let message = received
  const renewing = (async () => {
    while (!over.signal.aborted) {
      await options.clock.sleep(options.lockMs / 2, over.signal)
      if (over.signal.aborted) return
      const renewed = await options.source.hide(options.queue, message, options.lockMs).catch((error: unknown) => {
        report(options, 'warning', `Renewing ${message.id} failed: ${error}`)
        return message
      })
      if (!renewed) return
      message = renewed
    }
  })()
  return {
    async end() {
      over.abort(OVER)
      await renewing
      return message
    },
  }
}

/** A poison queue has none of its own: there a message that keeps failing stays hidden until its time is up. */
async function poison(options: QueueTriggerOptions, message: QueueMessage): Promise<void> {
  const { queue, source } = options
  if (isPoisonQueue(queue)) return
  await source.add(`${queue}-poison`, message.text)
  await source.remove(queue, message)
  report(options, 'error', `Message ${message.id} of ${queue} was moved to ${queue}-poison`)
}

function isPoisonQueue(queue: string): boolean {
  return queue.endsWith('-poison')
}

/** The text as the handler gets it; undefined when it is not in the encoding that host.json names. */
function decode(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text
  if (!/^(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i.test(text)) return undefined
  return Buffer.from(text, 'base64').toString('utf8')
}

function metadataOf(message: QueueMessage, text: string): Record<string, TypedData> {
  return {
    QueueTrigger: { string: text },
    Id: { string: message.id },
    PopReceipt: { string: message.popReceipt },
    DequeueCount: { json: String(message.dequeueCount) },
    InsertionTime: time(message.insertedMs),
    ExpirationTime: time(message.expiresMs),
    NextVisibleTime: time(message.visibleMs),
  }
}

function time(ms: number): TypedData {
  return { json: JSON.stringify(new Date(ms).toISOString().replace('Z', '+00:00')) }
}

function report(options: QueueTriggerOptions, level: 'warning' | 'error', message: string): void {
  options.log({ level, category: 'system', functionName: options.fn.metadata.name, message })
}
