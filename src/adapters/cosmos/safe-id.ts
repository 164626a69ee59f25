import { createHash } from 'node:crypto'

const maxLength = 250

/**
 * An item id that Cosmos DB takes: `/` becomes `:`, what is neither letter, digit, `.`, `_` nor `-` becomes `~` and the
 * hex of its UTF-8 bytes. Different texts give different ids; one that grows too long ends in its SHA-256.
 */
export function safeId(text: string): string {
  const id = text.replace(/[^A-Za-z0-9._-]/gu, (char) => (char === '/' ? ':' : `~${Buffer.from(char).toString('hex')}`))
  if (id.length <= maxLength) return id
  return `${id.slice(0, 180)}~~${createHash('sha256').update(text).digest('hex')}`
}
