import { entityTags } from './request-context.ts'

/** Does the caller have what it asks for already? Compared weakly, as RFC 9110 §13.1.2 asks. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = entityTags(ifNoneMatch) ?? []
  return tags.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}
