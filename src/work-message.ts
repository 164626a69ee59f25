import * as z from 'zod'
import type { WorkMessage } from './model/outbox.ts'

const session = z.string().optional()
const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reconcile'), service: z.string(), cluster: z.string(), session }),
  z.object({ kind: z.literal('advance'), service: z.string(), session }),
  z.object({ kind: z.enum(['probe', 'resync', 'select']), cluster: z.string(), session }),
  z.object({ kind: z.literal('rotate'), certificate: z.string(), session }),
  z.object({ kind: z.literal('deliver'), certificate: z.string(), cluster: z.string(), session }),
  z.object({ kind: z.literal('command'), command: z.string(), session }),
  z.object({ kind: z.literal('notify'), notification: z.string(), session }),
  z.object({ kind: z.literal('relay'), document: z.object({ kind: z.string(), key: z.string() }), session }),
])

/** Apart from the rest: a broken trace is no reason to leave the work undone. */
const traced = z.object({ trace: z.string().max(55) })

/** A queue message, as text or as the host has parsed it; undefined when it is none of ours (an older or newer version's). */
export function parseWorkMessage(received: unknown): WorkMessage | undefined {
  const value = typeof received === 'string' ? parseJson(received) : received
  const parsed = message.safeParse(value)
  return parsed.success ? ({ ...parsed.data, ...traced.safeParse(value).data } as WorkMessage) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
