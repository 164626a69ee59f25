import type { EmulatorContext, Table } from '../emulator.ts'
import { QueueError } from './errors.ts'

export type Metadata = Readonly<Record<string, string>>

export interface Queue {
  readonly name: string
  readonly metadata: Metadata
}

export interface Message {
  readonly id: string
  readonly text: string
  /** Milliseconds since the epoch; `expiresAt` is null for never. */
  readonly insertedAt: number
  readonly expiresAt: number | null
  readonly visibleAt: number
  readonly dequeueCount: number
  /** Changed by each get and update; who holds it may delete. */
  readonly popReceipt: string
}

/** The queues of one account, kept in the storage. A missing queue or message is a thrown 404. */
export class Queues {
  private readonly context: EmulatorContext
  private readonly catalog: Table

  constructor(context: EmulatorContext) {
    this.context = context
    this.catalog = context.storage.table('queues')
  }

  list(prefix: string): Queue[] {
    return [...this.catalog.entries(`queue/${prefix}`)].map(([, queue]) => queue as Queue)
  }

  /** True when it was made, false when it was there with the same metadata; throws a 409 when with other. */
  create(name: string, metadata: Metadata): boolean {
    const known = this.catalog.get(`queue/${name}`) as Queue | undefined
    if (known && !sameMetadata(known.metadata, metadata)) throw new QueueError('QueueAlreadyExists')
    if (!known) this.catalog.put(`queue/${name}`, { name, metadata })
    return !known
  }

  get(name: string): Queue {
    const queue = this.catalog.get(`queue/${name}`) as Queue | undefined
    if (!queue) throw new QueueError('QueueNotFound')
    return queue
  }

  setMetadata(name: string, metadata: Metadata): void {
    this.catalog.put(`queue/${this.get(name).name}`, { name, metadata })
  }

  delete(name: string): void {
    this.clear(name)
    this.catalog.delete(`queue/${name}`)
  }

  clear(name: string): void {
    const table = this.table(name)
    for (const [key] of [...table.entries()]) table.delete(key)
  }

  /** Adds a message; times in seconds, `ttlS` -1 for ever. */
  put(name: string, text: string, visibilityS: number, ttlS: number): Message {
    const table = this.table(name)
    const number = this.nextNumber()
    const insertedAt = this.context.now()
    const message: Message = {
      id: `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
      text,
      insertedAt,
      expiresAt: ttlS === -1 ? null : insertedAt + ttlS * 1000,
      visibleAt: insertedAt + visibilityS * 1000,
      dequeueCount: 0,
      popReceipt: receipt(number, this.nextNumber()),
    }
    table.put(message.id, message)
    return message
  }

  /** All messages that have not expired, in the order of arrival. */
  messages(name: string): Message[] {
    const table = this.table(name)
    const now = this.context.now()
    const messages = [...table.entries()].map(([, message]) => message as Message)
    const expired = messages.filter((message) => hasExpired(message, now))
    for (const { id } of expired) table.delete(id)
    return expired.length === 0 ? messages : messages.filter((message) => !expired.includes(message))
  }

  visible(name: string): Message[] {
    const now = this.context.now()
    return this.messages(name).filter(({ visibleAt }) => visibleAt <= now)
  }

  /** Takes a message: hides it for the given seconds, under a new pop receipt. */
  dequeue(name: string, message: Message, visibilityS: number): Message {
    const dequeueCount = message.dequeueCount + 1
    return this.hide(name, { ...message, dequeueCount }, visibilityS)
  }

  update(name: string, id: string, popReceipt: string, visibilityS: number, text: string | undefined): Message {
    const message = this.held(name, id, popReceipt)
    return this.hide(name, text === undefined ? message : { ...message, text }, visibilityS)
  }

  deleteMessage(name: string, id: string, popReceipt: string): void {
    this.table(name).delete(this.held(name, id, popReceipt).id)
  }

  private hide(name: string, message: Message, visibilityS: number): Message {
    const visibleAt = this.context.now() + visibilityS * 1000
    const hidden = { ...message, visibleAt, popReceipt: receipt(numberOf(message.id), this.nextNumber()) }
    this.table(name).put(message.id, hidden)
    return hidden
  }

  /**
   * The message if the receipt is its last one. As the service: 400 for a receipt of another message or none at all,
   * 404 for one that has been superseded (Azure/azure-storage-python issue 300).
   */
  private held(name: string, id: string, popReceipt: string): Message {
    const message = this.table(name).get(id) as Message | undefined
    const [number] = readReceipt(popReceipt)
    if (!message || hasExpired(message, this.context.now())) throw new QueueError('MessageNotFound')
    if (number !== numberOf(id)) throw new QueueError('PopReceiptMismatch')
    if (message.popReceipt !== popReceipt) throw new QueueError('MessageNotFound')
    return message
  }

  private table(name: string): Table {
    return this.context.storage.table(`queue/${this.get(name).name}`)
  }

  private nextNumber(): number {
    const number = Number(this.catalog.get('counter') ?? 0) + 1
    this.catalog.put('counter', number)
    return number
  }
}

function hasExpired({ expiresAt }: Message, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

function sameMetadata(left: Metadata, right: Metadata): boolean {
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

function numberOf(id: string): number {
  return Number.parseInt(id.slice(-12), 16)
}

function receipt(message: number, sequence: number): string {
  return Buffer.from(`${message}:${sequence}`).toString('base64')
}

function readReceipt(popReceipt: string): [message: number, sequence: number] {
  const match = /^(\d+):(\d+)$/.exec(Buffer.from(popReceipt, 'base64').toString())
  if (!match) throw new QueueError('InvalidQueryParameterValue')
  return [Number(match[1]), Number(match[2])]
}
