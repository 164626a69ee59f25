import { QueueError } from './errors.ts'
import type { Message } from './queues.ts'
import { element, escapeXml, unescapeXml, xmlDocument } from './xml.ts'

const never = 'Fri, 31 Dec 9999 23:59:59 GMT'

/** The text in a `<QueueMessage>`; throws a 400 for other XML, other characters or bytes that are no UTF-8. */
export function readText(body: Uint8Array): string {
  const match =
    /^\s*(?:<\?xml[^>]*\?>\s*)?<QueueMessage>\s*(?:<MessageText>([\s\S]*)<\/MessageText>|<MessageText\s*\/>)\s*<\/QueueMessage>\s*$/.exec(
      decode(body),
    )
  const text = match ? unescapeXml(match[1] ?? '') : undefined
  if (text === undefined) throw new QueueError('InvalidXmlDocument')
  return text
}

/** What Put Message answers. */
export function sentMessages(messages: readonly Message[]): string {
  return list(messages, (message) => times(message) + receipt(message))
}

/** What Get Messages answers, and Peek Messages, which gives no receipt. */
export function takenMessages(messages: readonly Message[], isPeek: boolean): string {
  return list(
    messages,
    (message) =>
      times(message) +
      (isPeek ? '' : receipt(message)) +
      element('DequeueCount', message.dequeueCount) +
      element('MessageText', escapeXml(message.text)),
  )
}

function list(messages: readonly Message[], inner: (message: Message) => string): string {
  const items = messages.map((message) => element('QueueMessage', element('MessageId', message.id) + inner(message)))
  return xmlDocument(element('QueueMessagesList', items.join('')))
}

function times({ insertedAt, expiresAt }: Message): string {
  const expires = expiresAt === null ? never : new Date(expiresAt).toUTCString()
  return element('InsertionTime', new Date(insertedAt).toUTCString()) + element('ExpirationTime', expires)
}

function receipt({ popReceipt, visibleAt }: Message): string {
  return element('PopReceipt', popReceipt) + element('TimeNextVisible', new Date(visibleAt).toUTCString())
}

function decode(body: Uint8Array): string {
  try {
    // An XML parser reads every line end as \n.
    return new TextDecoder('utf-8', { fatal: true }).decode(body).replace(/\r\n?/g, '\n')
  } catch {
    throw new QueueError('InvalidXmlDocument')
  }
}
