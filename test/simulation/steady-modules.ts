import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const SRC = resolve(import.meta.dirname, '../../src')
const LAZY = /\bimport\('([^']+)'\)/g

/**
 * Loads what the app loads when it is first wanted. A file is read in the machine's own time, which virtual time does not
 * wait for: a run that has to load one would go otherwise than the next.
 */
export async function loadLazyModules(): Promise<void> {
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /^(sandbox|cli)\//.test(file)) continue
    const path = join(SRC, file)
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(LAZY)) {
      await import(name.startsWith('.') ? pathToFileURL(resolve(dirname(path), name)).href : name)
    }
  }
}
