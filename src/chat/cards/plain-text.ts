/** What hides or turns text around: control characters, directional overrides, invisible joiners. */
const UNSEEN = /[\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+/gu

/**
 * Words of other people (names, notes, messages) on one line, at most `most` UTF-16 units long, with nothing in them that
 * cannot be seen. Safe where a channel shows text as it is.
 */
export function plainText(text: string, most: number): string {
  const seen = text.toWellFormed().replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim()
  if (seen.length <= most) return seen
  return `${seen.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
/** Ends a word for Slack without being seen, so that the sign after it formats nothing. */
const BREAK = '\u200b'

/** Text for Slack's mrkdwn in which nothing is a link, a mention or a format. */
export function escapeMrkdwn(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ENTITIES[sign] ?? '').replace(/[*_~`]/g, (sign) => `${BREAK}${sign}`)
}

/** An address that may be linked to: https, no user name, at most 2,000 characters; undefined for any other. */
export function safeLink(text: string | undefined): string | undefined {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.href.length > 2000)
    return undefined
  return url.href
}
