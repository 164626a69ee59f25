import type { NotificationDocument } from '../../../src/model/documents.ts'
import type { KeptMessage } from '../../../src/sandbox/emulators/kept-messages.ts'
import type { DocumentWatch } from './documents.ts'
import type { Broke } from './kinds.ts'

/**
 * What arrived in channels: each notification as often as it was taken in hand at most, never once it is recorded as sent,
 * and in the end at least once.
 */
export interface ChatWatch {
  /** `table` is `chat-slack` or `chat-teams`. */
  arrived(table: string, message: KeptMessage): void
  /** Once all is settled; `disturbed`: something may have come between sending and recording. */
  checkSettled(disturbed: boolean): void
}

export function watchChats(broke: Broke, documents: DocumentWatch): ChatWatch {
  const arrivals = new Map<string, number>()
  const names = new Map<string, string>()
  return {
    arrived(table, message) {
      const kind = table.slice('chat-'.length)
      if (message.failed !== undefined) broke(`${kind} could not show a message: ${message.failed}`)
      const name = markOf(message)
      if (name === undefined) return
      const count = (arrivals.get(`${kind} ${name}`) ?? 0) + 1
      arrivals.set(`${kind} ${name}`, count)
      const document = documents.get(`notification/${name}`) as NotificationDocument | undefined
      const send = document?.sends?.find(({ channel }) => channel.startsWith(`${kind}/`))
      const attempts = send?.attempts ?? 0
      const event = document?.event.id ?? ''
      const known = names.get(event) ?? name
      if (known !== name) broke(`event ${event} has two notifications: ${known} and ${name}`)
      names.set(event, name)
      // Nobody takes it in hand before a message that is on its way has arrived or is lost.
      if (send?.state === 'sent') broke(`${kind} got notification ${name} again, which is recorded as sent`)
      if (count > attempts) broke(`${kind} got notification ${name} ${count} times after ${attempts} attempts`)
    },
    checkSettled(disturbed) {
      for (const document of documents.all()) {
        if (document.kind !== 'notification') continue
        for (const { channel, state, message } of document.sends ?? []) {
          const count = arrivals.get(`${channel.split('/')[0]} ${document.name}`) ?? 0
          const what = `notification ${document.name} (${document.event.type}) to ${channel} is ${state}`
          if (state === 'waiting' || state === 'given-up') broke(`${what}: ${message}`)
          if (state === 'sent' && count === 0) broke(`${what} and never arrived`)
          if (!disturbed && count > 1) broke(`${what} and arrived ${count} times though nothing was in the way`)
        }
      }
    },
  }
}

/** The mark that Slack's metadata and the card's head carry; undefined for answers to commands. */
function markOf({ body }: KeptMessage): string | undefined {
  const { metadata } = body as { readonly metadata?: { readonly event_payload?: { readonly notification?: string } } }
  return metadata?.event_payload?.notification ?? /"notification-([^"]+)"/.exec(JSON.stringify(body))?.[1]
}
