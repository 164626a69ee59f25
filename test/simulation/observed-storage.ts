import type { Storage, Table } from '../../src/sandbox/emulators/emulator.ts'

/** Told of every write: `value` is undefined for a delete. */
export type StorageListener = (table: string, key: string, value: unknown, text: string) => void

/** Tables in memory, as the sandbox has them in a test, that tell of every write. */
export function observedStorage(listener: StorageListener): Storage & { texts(): Iterable<readonly [string, string]> } {
  const tables = new Map<string, { table: Table; rows: Map<string, string> }>()
  const open = (name: string) => {
    const known = tables.get(name)
    if (known) return known
    const made = observedTable(name, listener)
    tables.set(name, made)
    return made
  }
  return {
    table: (name) => open(name).table,
    close() {},
    *texts() {
      for (const [name, { rows }] of tables) for (const text of rows.values()) yield [name, text] as const
    },
  }
}

function observedTable(name: string, listener: StorageListener): { table: Table; rows: Map<string, string> } {
  const rows = new Map<string, string>()
  let sorted: string[] | undefined
  const table: Table = {
    get(key) {
      const row = rows.get(key)
      return row === undefined ? undefined : JSON.parse(row)
    },
    put(key, value) {
      if (!rows.has(key)) sorted = undefined
      const text = JSON.stringify(value)
      rows.set(key, text)
      listener(name, key, value, text)
    },
    delete(key) {
      const was = rows.delete(key)
      if (was) {
        sorted = undefined
        listener(name, key, undefined, '')
      }
      return was
    },
    *entries(prefix = '') {
      sorted ??= [...rows.keys()].sort()
      for (const key of sorted) {
        const row = key.startsWith(prefix) ? rows.get(key) : undefined
        if (row !== undefined) yield [key, JSON.parse(row)]
      }
    },
  }
  return { table, rows }
}
