import * as z from 'zod'
import type { AskedCommand } from '../../chat/receive-command.ts'
import { digest } from '../../model/digest.ts'

/** The parts of a Bot Framework activity that an outgoing webhook of Teams sends and a command needs. */
const activity = z.looseObject({
  type: z.literal('message'),
  id: z.string().min(1),
  timestamp: z.string().optional(),
  text: z.string().default(''),
  from: z.looseObject({ name: z.string().nullish(), aadObjectId: z.string().nullish() }),
  conversation: z.looseObject({ id: z.string(), name: z.string().nullish() }),
  channelData: z
    .looseObject({ channel: z.looseObject({ id: z.string(), name: z.string().nullish() }).nullish() })
    .nullish(),
})

/** The signature has no time in it; the activity, which is signed, has. Ids are remembered for longer. */
const OLDEST_MS = 60 * 60_000

export type TeamsCall =
  | { readonly kind: 'command'; readonly command: AskedCommand }
  /** No message, or one of long ago that comes again. */
  | { readonly kind: 'broken'; readonly why: string }

/** A mention of our webhook in a channel of Teams, as a command. `now` in epoch milliseconds. */
export function teamsCommand(body: Uint8Array, now: number): TeamsCall {
  const parsed = activity.safeParse(parseJson(body))
  if (!parsed.success) return { kind: 'broken', why: 'no message' }
  const { id, timestamp, text, from, conversation, channelData } = parsed.data
  const sentAt = timestamp === undefined ? now : Date.parse(timestamp)
  if (Number.isNaN(sentAt) || Math.abs(now - sentAt) > OLDEST_MS) return { kind: 'broken', why: 'not of now' }
  const channel = channelData?.channel?.name ?? conversation.name ?? conversation.id
  const person = from.aadObjectId?.toLowerCase()
  return {
    kind: 'command',
    command: {
      name: digest('teams', conversation.id, id),
      text: withoutMention(text),
      ...(person === undefined ? {} : { from: { kind: 'entra', id: person } }),
      sender: (from.name ?? person ?? 'unknown').slice(0, 100),
      origin: { kind: 'teams', ref: channel.slice(0, 200) },
      replyTo: { kind: 'none' },
    },
  }
}

/** What was said to us: mentions and the tags and entities that Teams writes around words are taken out. */
function withoutMention(text: string): string {
  return text
    .replaceAll(/<at\b[^<>]*>[^<]*<\/at>/gi, ' ')
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&nbsp;/gi, ' ')
    .replaceAll(/&lt;/gi, '<')
    .replaceAll(/&gt;/gi, '>')
    .replaceAll(/&amp;/gi, '&')
    .trim()
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
