import * as z from 'zod'
import type { WorkMessage } from './model/outbox.ts'

const session = z.string().optional()
const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reconcile'), service: z.string(), cluster: z.string(), session }),
  z.object({ kind: z.enum(['advance', 'wave']), service: z.string(), session }),
  z.object({ kind: z.literal('probe'), cluster: z.string(), record: z.boolean().optional(), session }),
  z.object({ kind: z.literal('resync'), cluster: z.string(), session }),
  z.object({ kind: z.literal('select'), cluster: z.string(), gateways: z.boolean().optional(), session }),
  z.object({ kind: z.literal('spread'), policy: z.string(), session }),
  z.object({ kind: z.literal('host'), host: z.string(), service: z.string().optional(), session }),
  z.object({ kind: z.literal('rotate'), certificate: z.string(), session }),
  z.object({ kind: z.literal('deliver'), certificate: z.string(), cluster: z.string(), session }),
  z.object({ kind: z.enum(['rotate-ca', 'trust']), ca: z.string(), session }),
  z.object({ kind: z.literal('watch'), found: z.string(), session }),
  z.object({ kind: z.literal('command'), command: z.string(), session }),
  z.object({ kind: z.literal('notify'), notification: z.string(), session }),
  z.object({ kind: z.literal('relay'), document: z.object({ kind: z.string(), key: z.string() }), session }),
])

/** Apart from the rest: a broken trace, or time, is no reason to leave the work undone. */
const traced = z.object({ trace: z.string().max(55) })
const timed = z.object({ notBefore: z.iso.datetime() })

/** No message comes earlier than this; a clock that is further off is not waited for. */
const MOST_EARLY_MS = 2500

/** A queue message, as text or as the host has parsed it; undefined when it is none of ours (an older or newer version's). */
export function parseWorkMessage(received: unknown): WorkMessage | undefined {
  const value = typeof received === 'string' ? parseJson(received) : received
  const parsed = message.safeParse(value)
  if (!parsed.success) return undefined
  return { ...parsed.data, ...traced.safeParse(value).data, ...timed.safeParse(value).data } as WorkMessage
}

/** How long a worker has to wait with a message that came early, in milliseconds. */
export function earlyBy({ notBefore }: WorkMessage, now: number): number {
  if (notBefore === undefined) return 0
  return Math.min(Math.max(Date.parse(notBefore) - now, 0), MOST_EARLY_MS)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
