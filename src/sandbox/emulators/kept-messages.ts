import type { Table } from './emulator.ts'

const MOST = 200

/** A message that an emulated chat service got, as people (and tests) look at it. */
export interface KeptMessage {
  /** RFC 3339. */
  readonly at: string
  /** Slack channel, response_url's path, or Teams workflow. */
  readonly to: string
  readonly body: unknown
  /** Why it was taken but not shown to anyone. */
  readonly failed?: string
}

/** Keeps the newest 200 messages in a table, in the order of arrival. */
export function keepMessage(table: Table, message: KeptMessage): void {
  const keys = [...table.entries()].map(([key]) => key)
  const next = Number(keys.at(-1) ?? 0) + 1
  table.put(String(next).padStart(12, '0'), message)
  for (const key of keys.slice(0, Math.max(0, keys.length + 1 - MOST))) table.delete(key)
}

export function keptMessages(table: Table): readonly KeptMessage[] {
  return [...table.entries()].map(([, message]) => message as KeptMessage)
}

export function forgetMessages(table: Table): void {
  for (const [key] of [...table.entries()]) table.delete(key)
}
