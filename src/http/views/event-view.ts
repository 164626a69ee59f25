import * as z from 'zod'
import type { ArrivedEvent } from '../../model/event.ts'
import { actorView, time } from './common.ts'

/** CloudEvents 1.0 in JSON format; `cursor` is an extension. */
export const eventView = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.literal('/meshwright'),
    type: z.string().describe('io.meshwright.…'),
    subject: z
      .string()
      .describe('services/NAMESPACE/NAME, clusters/NAME, certificates/NAME, policies/NAME or rollouts/ID'),
    time: time.describe('When it happened; the order of a list is that of arrival'),
    datacontenttype: z.literal('application/json'),
    cursor: z.string().describe('Give it as ?after= or Last-Event-ID to go on behind this event'),
    data: z.object({
      actor: actorView,
      reason: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .meta({ id: 'Event' })
export type EventView = z.infer<typeof eventView>

export function viewEvent(event: ArrivedEvent): EventView {
  const { id, type, subject, time, actor, reason, message, data, cursor } = event
  return {
    specversion: '1.0',
    id,
    source: '/meshwright',
    type: `io.meshwright.${type}`,
    subject,
    time,
    datacontenttype: 'application/json',
    cursor,
    data: { actor, reason, message, ...(data === undefined ? {} : { details: { ...data } }) },
  }
}
