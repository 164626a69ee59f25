import type { Messenger } from '../ports/messenger.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** Counts what goes to channels and what does not. */
export function countedMessenger(messenger: Messenger, telemetry: Telemetry): Messenger {
  return {
    async send(message) {
      const channel = message.kind === 'teams' ? 'teams' : 'slack'
      try {
        await messenger.send(message)
        telemetry.count('meshwright.notifications', { channel, result: 'sent' })
      } catch (error) {
        telemetry.count('meshwright.notifications', { channel, result: 'failed' })
        throw error
      }
    },
  }
}
