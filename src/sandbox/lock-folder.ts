import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartError } from './start-error.ts'

/**
 * Keeps other sandboxes out of a folder until the returned function is called or this process ends, however it ends: an
 * exclusive transaction on a file of its own. One that is just stopping is waited for. Throws StartError.
 */
export function lockFolder(folder: string, patienceMs = 3000): () => void {
  const database = new DatabaseSync(join(folder, 'lock'))
  try {
    database.exec(`PRAGMA busy_timeout = ${patienceMs}; BEGIN EXCLUSIVE`)
  } catch {
    database.close()
    throw new StartError(`Another sandbox keeps its state in ${folder}: stop it, or choose another with --folder DIR.`)
  }
  return () => database.close()
}
