import type { EmulatorResponse } from '../emulators/emulator.ts'
import { bodyText, type Send, ServiceError } from './send.ts'

/** A message the host holds for a while. */
export interface QueueMessage {
  readonly id: string
  /** The right to it; changes whenever its hiding changes. */
  readonly popReceipt: string
  /** As stored, still encoded. */
  readonly text: string
  readonly dequeueCount: number
  /** Milliseconds since the epoch. */
  readonly insertedMs: number
  readonly expiresMs: number
  readonly visibleMs: number
}

/** What the queue trigger wants of a queue service. Every call rejects when the service fails or cannot be reached. */
export interface QueueSource {
  /** Takes up to `count` messages (1 to 32) and hides them for `hiddenMs`. None when the queue does not exist. */
  receive(queue: string, count: number, hiddenMs: number): Promise<readonly QueueMessage[]>
  /** Hides a held message for `hiddenMs` from now; gives it with its new receipt, or undefined when it is no longer held. */
  hide(queue: string, message: QueueMessage, hiddenMs: number): Promise<QueueMessage | undefined>
  /** Deletes a held message; false when it is no longer held. */
  remove(queue: string, message: QueueMessage): Promise<boolean>
  /** Adds a message that never expires; makes the queue when there is none. */
  add(queue: string, text: string): Promise<void>
}

/**
 * A queue source over the REST protocol of Azure Storage queues. `endpoint` is the account's address, such as
 * `http://127.0.0.1:10001/devstoreaccount1`; signing is the business of `send`.
 * https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
 */
export function queueSourceOver(endpoint: string, send: Send): QueueSource {
  const call = (method: string, path: string, query: Record<string, string>, body = ''): Promise<EmulatorResponse> => {
    const url = new URL(`${endpoint.replace(/\/$/, '')}/${path}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const headers: Record<string, string> = { 'x-ms-version': '2021-12-02', accept: 'application/xml' }
    if (body !== '') headers['content-type'] = 'application/xml'
    return send({ method, url, headers, body: new TextEncoder().encode(body) })
  }
  const messages = (queue: string): string => `${encodeURIComponent(queue)}/messages`
  const held = (queue: string, message: QueueMessage): string => `${messages(queue)}/${encodeURIComponent(message.id)}`

  return {
    async receive(queue, count, hiddenMs) {
      const query = { numofmessages: String(count), visibilitytimeout: seconds(hiddenMs) }
      const response = await call('GET', messages(queue), query)
      if (response.status === 404) return []
      return parseMessages(bodyText(expect(response, [200], `Receiving from ${queue}`)))
    },
    async hide(queue, message, hiddenMs) {
      const query = { popreceipt: message.popReceipt, visibilitytimeout: seconds(hiddenMs) }
      const response = await call('PUT', held(queue, message), query)
      if (isLost(response)) return undefined
      const { headers } = expect(response, [204], `Hiding a message of ${queue}`)
      return { ...message, popReceipt: headers['x-ms-popreceipt'] ?? message.popReceipt }
    },
    async remove(queue, message) {
      const response = await call('DELETE', held(queue, message), { popreceipt: message.popReceipt })
      if (isLost(response)) return false
      expect(response, [204], `Deleting a message of ${queue}`)
      return true
    },
    async add(queue, text) {
      const body = `<QueueMessage><MessageText>${encodeXml(text)}</MessageText></QueueMessage>`
      const post = (): Promise<EmulatorResponse> => call('POST', messages(queue), { messagettl: '-1' }, body)
      let response = await post()
      if (response.status === 404) {
        expect(await call('PUT', encodeURIComponent(queue), {}), [201, 204], `Creating ${queue}`)
        response = await post()
      }
      expect(response, [201], `Adding to ${queue}`)
    },
  }
}

/** The message was deleted, or came into view and went to someone else (PopReceiptMismatch). */
function isLost(response: EmulatorResponse): boolean {
  return response.status === 404 || (response.status === 400 && bodyText(response).includes('PopReceiptMismatch'))
}

function expect(response: EmulatorResponse, statuses: readonly number[], what: string): EmulatorResponse {
  if (!statuses.includes(response.status)) throw new ServiceError(what, response)
  return response
}

function seconds(durationMs: number): string {
  return String(Math.ceil(durationMs / 1000))
}

function parseMessages(xml: string): QueueMessage[] {
  return [...xml.matchAll(/<QueueMessage>([\s\S]*?)<\/QueueMessage>/g)].map(([, item = '']) => ({
    id: element(item, 'MessageId'),
    popReceipt: element(item, 'PopReceipt'),
    text: element(item, 'MessageText'),
    dequeueCount: Number(element(item, 'DequeueCount')),
    insertedMs: Date.parse(element(item, 'InsertionTime')),
    expiresMs: Date.parse(element(item, 'ExpirationTime')),
    visibleMs: Date.parse(element(item, 'TimeNextVisible')),
  }))
}

function element(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1] ?? ''
  return decodeXml(text)
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function decodeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return entities[name] ?? whole
  })
}

function encodeXml(text: string): string {
  const codes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' }
  return text.replace(/[&<>\r]/g, (character) => codes[character] ?? character)
}
