import type { TokenCredential } from '@azure/core-auth'
import type { IHttpClient, QueueClient } from '@azure/storage-queue'
import { timestamp } from '../model/names.ts'
import type { QueueName, WorkMessage } from '../model/outbox.ts'
import type { Clock } from '../ports/clock.ts'
import { isPortError, PortError, type PortErrorKind } from '../ports/port-error.ts'
import type { WorkQueue } from '../ports/work-queue.ts'
import { withDeadline } from './deadline.ts'
import { networkFailure } from './network-failure.ts'

const QUEUES = 'Storage queues'
const sendDeadlineMs = 10_000
const longestDelaySeconds = 7 * 24 * 3600
/** As long as an idle queue is left alone between two looks (host.json, maxPollingInterval). */
const pollMs = 1000

export interface StorageQueueSettings {
  /** `https://ACCOUNT.queue.core.windows.net`. */
  readonly url: string
  readonly credential: { readonly account: string; readonly key: string } | TokenCredential
  /** Names of the queues in the account; `urgent` and `work` when left out. */
  readonly names?: Readonly<Record<QueueName, string>>
  /** Creates a queue at its first use. In Azure the infrastructure does it. */
  readonly createMissing?: boolean
  /** Carries the requests in place of sockets. */
  readonly httpClient?: IHttpClient
}

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  413: 'invalid',
  429: 'throttled',
}

/**
 * Work messages on Azure Storage queues, as plain JSON text (host.json says `messageEncoding: none`). A message never
 * expires. An answer that was lost may mean that the message is there twice. Queues count whole seconds and are looked at
 * once a second, so what has to wait comes up to two seconds early and says for when it is.
 */
export function storageWorkQueue(settings: StorageQueueSettings, clock: Clock): WorkQueue {
  const opened = new Map<QueueName, Promise<QueueClient>>()
  const open = (name: QueueName) => {
    const known = opened.get(name)
    if (known) return known
    const opening = openQueue(settings, name).catch((error: unknown) => {
      opened.delete(name)
      throw error
    })
    opened.set(name, opening)
    return opening
  }
  return {
    async send(name, message, delayMs = 0) {
      try {
        await withDeadline(clock, sendDeadlineMs, QUEUES, async (signal) =>
          put(await open(name), delayed(message, delayMs, clock.now()), delayMs, signal),
        )
      } catch (error) {
        throw queueFailure(error)
      }
    },
  }
}

async function openQueue(settings: StorageQueueSettings, name: QueueName): Promise<QueueClient> {
  const { QueueServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-queue')
  const { credential, httpClient } = settings
  const signer =
    'account' in credential ? new StorageSharedKeyCredential(credential.account, credential.key) : credential
  const service = new QueueServiceClient(settings.url, signer, {
    ...(httpClient === undefined ? {} : { httpClient }),
    retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2000 },
  })
  const queue = service.getQueueClient(settings.names?.[name] ?? name)
  if (settings.createMissing) await queue.createIfNotExists()
  return queue
}

function delayed(message: WorkMessage, delayMs: number, now: number): WorkMessage {
  return delayMs > 0 ? { ...message, notBefore: timestamp(now + delayMs) } : message
}

async function put(queue: QueueClient, message: WorkMessage, delayMs: number, abortSignal: AbortSignal): Promise<void> {
  const wanted = Math.floor(Math.max(delayMs - pollMs, 0) / 1000)
  const visibilityTimeout = Math.min(wanted, longestDelaySeconds)
  await queue.sendMessage(JSON.stringify(message), { visibilityTimeout, messageTimeToLive: -1, abortSignal })
}

function queueFailure(error: unknown): PortError {
  if (isPortError(error)) return error
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown }
  if (typeof statusCode !== 'number') return networkFailure(QUEUES, error)
  const kind = KINDS[statusCode] ?? 'unavailable'
  const word = typeof code === 'string' ? ` (${code})` : ''
  const reason = typeof code === 'string' ? { reason: code } : {}
  return new PortError(kind, QUEUES, `${QUEUES} answered ${statusCode}${word}`, reason)
}
