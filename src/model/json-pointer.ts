/** A path into JSON as a pointer (RFC 6901): `/a~1b/0` for the first item of `a/b`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escapePointer(String(part))}`).join('')
}

/** One part of a pointer. */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1')
}
