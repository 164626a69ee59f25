import { DatabaseSync } from 'node:sqlite'
import type { Storage, Table } from './emulators/emulator.ts'

/** Tables that live as long as the process. */
export function memoryStorage(): Storage {
  const tables = new Map<string, Table>()
  return {
    table(name) {
      const known = tables.get(name)
      if (known) return known
      const made = memoryTable()
      tables.set(name, made)
      return made
    },
    close() {},
  }
}

/**
 * Tables in one SQLite file. A write is on its way to the disk when `put` returns: it survives kill -9 of this process
 * (write-ahead log, synchronous NORMAL), though not a power cut.
 */
export function sqliteStorage(file: string): Storage {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
  database.exec(
    'CREATE TABLE IF NOT EXISTS rows (name TEXT, key TEXT, value TEXT, PRIMARY KEY (name, key)) WITHOUT ROWID',
  )
  const tables = new Map<string, Table>()
  return {
    table(name) {
      const known = tables.get(name) ?? sqliteTable(database, name)
      tables.set(name, known)
      return known
    },
    close: () => database.close(),
  }
}

function memoryTable(): Table {
  const rows = new Map<string, string>()
  return {
    get(key) {
      const row = rows.get(key)
      return row === undefined ? undefined : JSON.parse(row)
    },
    put(key, value) {
      rows.set(key, JSON.stringify(value))
    },
    delete: (key) => rows.delete(key),
    *entries(prefix = '') {
      for (const key of [...rows.keys()].filter((key) => key.startsWith(prefix)).sort()) {
        const row = rows.get(key)
        if (row !== undefined) yield [key, JSON.parse(row)]
      }
    },
  }
}

function sqliteTable(database: DatabaseSync, name: string): Table {
  const select = database.prepare('SELECT value FROM rows WHERE name = ? AND key = ?')
  const upsert = database.prepare('INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = database.prepare('DELETE FROM rows WHERE name = ? AND key = ?')
  const range = database.prepare('SELECT key, value FROM rows WHERE name = ? AND key >= ? ORDER BY key')
  return {
    get(key) {
      const row = select.get(name, key)
      return row === undefined ? undefined : JSON.parse(String(row.value))
    },
    put(key, value) {
      upsert.run(name, key, JSON.stringify(value))
    },
    delete: (key) => remove.run(name, key).changes > 0,
    *entries(prefix = '') {
      for (const row of range.all(name, prefix)) {
        const key = String(row.key)
        if (!key.startsWith(prefix)) return
        yield [key, JSON.parse(String(row.value))]
      }
    },
  }
}
