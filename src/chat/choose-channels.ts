import type { EventRecord } from '../model/event.ts'
import { timestamp } from '../model/names.ts'
import { isUrgent, type NotificationSend, noticeOf } from '../model/notification.ts'
import type { TeamSpec } from '../model/team.ts'
import { quietUntil } from './quiet-hours.ts'

/** What cannot be sent for so long is given up. */
export const PATIENCE_MS = 24 * 3_600_000
/** Metrics that are missing for a moment are nobody's concern. */
const BLIND_MS = 60_000

/**
 * The channels of a team that an event has to reach, and from when on: at once, or after its quiet hours when it is not
 * urgent. Empty for an event that the team does not want to hear of, and for a team without channels.
 */
export function chooseChannels(
  event: EventRecord,
  team: { readonly name: string; readonly chat: TeamSpec['chat'] },
  now: number,
): readonly NotificationSend[] {
  const { name, chat } = team
  const notice = noticeOf(event)
  if (chat === undefined || notice === undefined) return []
  if (chat.notices !== undefined && !chat.notices.includes(notice)) return []
  const settled = event.type === 'rollout.blind' ? Math.max(now, Date.parse(event.time) + BLIND_MS) : now
  const quiet = chat.quietHours === undefined || isUrgent(event) ? undefined : quietUntil(chat.quietHours, settled)
  const from = quiet ?? settled
  const send = { state: 'waiting', attempts: 0, giveUpAt: timestamp(from + PATIENCE_MS) } as const
  const later = from > now ? { notBefore: timestamp(from) } : {}
  const kinds = [...(chat.channel === undefined ? [] : ['slack']), ...(chat.teamsSecret === undefined ? [] : ['teams'])]
  return kinds.map((kind) => ({ channel: `${kind}/${name}`, ...send, ...later }))
}
