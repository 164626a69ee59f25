import { createHash } from 'node:crypto'

/** How a content security policy names a script or style by what it holds. */
export function contentHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
