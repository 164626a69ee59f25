import type { CommandAnswer } from '../model/command.ts'

/** An answer as an outgoing webhook of Teams takes it. Teams reads Markdown and HTML: names are kept from being either. */
export function teamsAnswer({ text }: CommandAnswer): Readonly<Record<string, unknown>> {
  const plain = text
    .replaceAll(/[\\`*_[\]~#|]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
  return { type: 'message', text: plain.replaceAll('\n', '<br/>') }
}
