import { PortError } from '../../ports/port-error.ts'
import { COSMOS } from './cosmos-failure.ts'

/** Where a reader of a log is. */
export interface ArrivalCursor {
  /** Everything up to this time of arrival (seconds) and item id has been read, and nothing can join it any more. */
  readonly behind?: readonly [ts: number, id: string]
  /** Hashes of the items behind that point that have been read too. */
  readonly seen: readonly string[]
}

export function formatCursor({ behind, seen }: ArrivalCursor): string {
  return Buffer.from(JSON.stringify([behind ?? null, seen.join('')])).toString('base64url')
}

/** Throws PortError `invalid` for a text that is no cursor. */
export function parseCursor(text: string): ArrivalCursor {
  try {
    const [behind, seen] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (typeof seen !== 'string' || !/^([\w-]{8}){0,1500}$/.test(seen)) throw new TypeError('seen')
    const hashes = seen.match(/.{8}/g) ?? []
    if (behind === null) return { seen: hashes }
    const [ts, id] = behind as unknown[]
    if (typeof ts !== 'number' || !Number.isSafeInteger(ts) || typeof id !== 'string') throw new TypeError('behind')
    return { behind: [ts, id], seen: hashes }
  } catch {
    throw new PortError('invalid', COSMOS, 'the cursor is broken', { reason: 'Cursor' })
  }
}
