import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import type { VaultCall } from './call.ts'
import { badParameter } from './errors.ts'

/** Key Vault gives no more in one page. */
const MOST = 25

/**
 * One page of a list, with the link of the next one. `keyOf` orders the items and is where the next page begins: what
 * is added or removed meanwhile does not move the others.
 */
export function page<T>(
  call: VaultCall,
  items: Iterable<T>,
  keyOf: (item: T) => string,
  show: (item: T) => object,
): EmulatorResponse {
  const size = pageSize(call.query.get('maxresults'))
  const after = cursor(call.query.get('$skiptoken'))
  const found: T[] = []
  for (const item of items) {
    if (after !== undefined && keyOf(item) <= after) continue
    found.push(item)
    if (found.length > size) break
  }
  const shown = found.slice(0, size)
  const last = shown.at(-1)
  const nextLink = found.length > size && last !== undefined ? link(call, keyOf(last)) : null
  return jsonResponse(200, { value: shown.map(show), nextLink })
}

function pageSize(wanted: string | null): number {
  if (wanted === null) return MOST
  const size = Number(wanted)
  if (Number.isInteger(size) && size >= 1 && size <= MOST) return size
  throw badParameter(`Invalid value for maxresults: it must be from 1 to ${MOST}`)
}

function link({ request }: VaultCall, after: string): string {
  const url = new URL(request.url)
  url.searchParams.set('$skiptoken', Buffer.from(after).toString('base64url'))
  return url.href
}

function cursor(token: string | null): string | undefined {
  return token === null ? undefined : Buffer.from(token, 'base64url').toString()
}
