import type { Emulator, EmulatorContext, EmulatorRequest, EmulatorResponse } from '../emulator.ts'
import { authorize, type QueueAccess } from './authorization.ts'
import { errorResponse, QueueError } from './errors.ts'
import { readText, sentMessages, takenMessages } from './message-xml.ts'
import { type Metadata, Queues } from './queues.ts'
import { element, escapeXml, xmlDocument } from './xml.ts'

export interface StorageQueueOptions extends QueueAccess {
  /** Hand out visible messages in a random order, as the service may; default is the order of arrival. */
  readonly unordered?: boolean
}

const maxTextBytes = 64 * 1024
const weekS = 7 * 24 * 60 * 60
const maxTtlS = 2 ** 31 - 1

/**
 * The queue service of an Azure storage account as its SDKs see it: queues with metadata, and messages that are put,
 * got, peeked, updated and deleted. Takes both kinds of URL, `account.queue…/queue` and `host/account/queue`.
 */
export function storageQueueEmulator(context: EmulatorContext, options: StorageQueueOptions): Emulator {
  const queues = new Queues(context)
  let requests = 0
  return async (request) => {
    const number = String(++requests).padStart(12, '0')
    const response = answer(request, queues, context, options)
    const headers: Record<string, string> = {
      date: new Date(context.now()).toUTCString(),
      server: 'Windows-Azure-Queue/1.0',
      'x-ms-request-id': `00000000-0000-4000-8000-${number}`,
      'x-ms-version': request.headers['x-ms-version'] ?? '2019-02-02',
    }
    const clientRequestId = request.headers['x-ms-client-request-id']
    if (clientRequestId !== undefined) headers['x-ms-client-request-id'] = clientRequestId
    return { ...response, headers: { ...headers, ...response.headers } }
  }
}

function answer(
  request: EmulatorRequest,
  queues: Queues,
  context: EmulatorContext,
  options: StorageQueueOptions,
): EmulatorResponse {
  try {
    authorize(request, options)
    const [name, part, id, more] = segmentsOf(request.url, options.account)
    if (more !== undefined || (part !== undefined && part !== 'messages')) throw new QueueError('InvalidUri')
    if (name === undefined) return onService(request, queues)
    checkName(name)
    if (part === undefined) return onQueue(request, name, queues)
    if (id !== undefined) return onMessage(request, name, id, queues)
    return onMessages(request, name, queues, options.unordered ? context.random : undefined)
  } catch (error) {
    if (error instanceof QueueError) return errorResponse(error)
    throw error
  }
}

function onService({ method, url }: EmulatorRequest, queues: Queues): EmulatorResponse {
  if (method !== 'GET' || url.searchParams.get('comp') !== 'list') throw new QueueError('NotImplemented')
  const prefix = url.searchParams.get('prefix') ?? ''
  const marker = url.searchParams.get('marker') ?? ''
  const limit = numberParameter(url, 'maxresults', 1, 5000) ?? 5000
  const withMetadata = url.searchParams.get('include') === 'metadata'
  const found = queues.list(prefix).filter(({ name }) => name >= marker)
  const list = found.slice(0, limit).map(({ name, metadata }) => {
    const entries = Object.entries(metadata).map(([key, value]) => element(key, escapeXml(value)))
    return element('Queue', element('Name', name) + (withMetadata ? element('Metadata', entries.join('')) : ''))
  })
  const inner =
    element('Prefix', escapeXml(prefix)) +
    element('MaxResults', limit) +
    element('Queues', list.join('')) +
    element('NextMarker', found[limit]?.name ?? '')
  const service = escapeXml(`${url.origin}/`).replaceAll('"', '&quot;')
  const root = `<EnumerationResults ServiceEndpoint="${service}">${inner}</EnumerationResults>`
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: xmlDocument(root) }
}

function onQueue(request: EmulatorRequest, name: string, queues: Queues): EmulatorResponse {
  const { method, url } = request
  const comp = url.searchParams.get('comp')
  if (comp !== null && comp !== 'metadata') throw new QueueError('NotImplemented')
  if (comp === null && method === 'PUT') return empty(queues.create(name, metadataOf(request)) ? 201 : 204)
  if (comp === null && method === 'DELETE') {
    queues.delete(name)
    return empty(204)
  }
  if (comp === 'metadata' && method === 'PUT') {
    queues.setMetadata(name, metadataOf(request))
    return empty(204)
  }
  if (comp !== 'metadata' || (method !== 'GET' && method !== 'HEAD')) throw new QueueError('InvalidHttpVerb')
  const metadata = Object.entries(queues.get(name).metadata).map(([key, value]) => [`x-ms-meta-${key}`, value])
  const count = String(queues.messages(name).length)
  return empty(200, { 'x-ms-approximate-messages-count': count, ...Object.fromEntries(metadata) })
}

function onMessages(
  { method, url, body }: EmulatorRequest,
  name: string,
  queues: Queues,
  random: (() => number) | undefined,
): EmulatorResponse {
  queues.get(name)
  if (method === 'POST') {
    const ttlS = numberParameter(url, 'messagettl', -1, maxTtlS) ?? weekS
    const visibilityS = numberParameter(url, 'visibilitytimeout', 0, weekS) ?? 0
    if (ttlS === 0 || (ttlS !== -1 && visibilityS >= ttlS)) throw new QueueError('OutOfRangeQueryParameterValue')
    return xml(201, sentMessages([queues.put(name, readLimitedText(body), visibilityS, ttlS)]))
  }
  if (method === 'GET') {
    const count = numberParameter(url, 'numofmessages', 1, 32) ?? 1
    const visible = random ? shuffle(queues.visible(name), random) : queues.visible(name)
    const messages = visible.slice(0, count)
    if (url.searchParams.get('peekonly') === 'true') return xml(200, takenMessages(messages, true))
    const visibilityS = numberParameter(url, 'visibilitytimeout', 1, weekS) ?? 30
    return xml(
      200,
      takenMessages(
        messages.map((message) => queues.dequeue(name, message, visibilityS)),
        false,
      ),
    )
  }
  if (method !== 'DELETE') throw new QueueError('InvalidHttpVerb')
  queues.clear(name)
  return empty(204)
}

function onMessage({ method, url, body }: EmulatorRequest, name: string, id: string, queues: Queues): EmulatorResponse {
  const popReceipt = url.searchParams.get('popreceipt')
  if (!popReceipt) throw new QueueError('MissingRequiredQueryParameter')
  if (method === 'DELETE') {
    queues.deleteMessage(name, id, popReceipt)
    return empty(204)
  }
  if (method !== 'PUT') throw new QueueError('InvalidHttpVerb')
  const visibilityS = numberParameter(url, 'visibilitytimeout', 0, weekS)
  if (visibilityS === undefined) throw new QueueError('MissingRequiredQueryParameter')
  const text = body.length > 0 ? readLimitedText(body) : undefined
  const updated = queues.update(name, id, popReceipt, visibilityS, text)
  const visibleAt = new Date(updated.visibleAt).toUTCString()
  return empty(204, { 'x-ms-popreceipt': updated.popReceipt, 'x-ms-time-next-visible': visibleAt })
}

function readLimitedText(body: Uint8Array): string {
  const text = readText(body)
  if (Buffer.byteLength(text) > maxTextBytes) throw new QueueError('RequestBodyTooLarge')
  return text
}

function segmentsOf(url: URL, account: string): string[] {
  const segments = url.pathname.split('/').filter(Boolean).map(decode)
  return segments[0] === account && !url.hostname.startsWith(`${account}.`) ? segments.slice(1) : segments
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new QueueError('InvalidUri')
  }
}

function checkName(name: string): void {
  const isGood = /^[a-z0-9]([a-z0-9]|-(?!-))*[a-z0-9]$/.test(name) && name.length >= 3 && name.length <= 63
  if (!isGood) throw new QueueError('InvalidResourceName')
}

function metadataOf({ headers }: EmulatorRequest): Metadata {
  const prefix = 'x-ms-meta-'
  const own = Object.entries(headers).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]))
}

function numberParameter(url: URL, name: string, least: number, most: number): number | undefined {
  const text = url.searchParams.get(name)
  if (text === null) return undefined
  if (!/^-?\d{1,10}$/.test(text)) throw new QueueError('InvalidQueryParameterValue')
  const value = Number(text)
  if (value < least || value > most) throw new QueueError('OutOfRangeQueryParameterValue')
  return value
}

/** Fisher-Yates. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = shuffled[last] as T
    shuffled[last] = shuffled[other] as T
    shuffled[other] = item
  }
  return shuffled
}

function empty(status: number, headers: Record<string, string> = {}): EmulatorResponse {
  return { status, headers, body: '' }
}

function xml(status: number, body: string): EmulatorResponse {
  return { status, headers: { 'content-type': 'application/xml' }, body }
}
