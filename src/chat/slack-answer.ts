import type { CommandAnswer } from '../model/command.ts'
import { escapeMrkdwn } from './cards/plain-text.ts'

/**
 * An answer as Slack takes it, in the call itself and at its response_url. Words of other people stay words: nothing in them
 * is a mention, a link or a format.
 */
export function slackAnswer({ text, audience }: CommandAnswer): Readonly<Record<string, unknown>> {
  return {
    response_type: audience === 'channel' ? 'in_channel' : 'ephemeral',
    replace_original: false,
    text: escapeMrkdwn(text),
  }
}
