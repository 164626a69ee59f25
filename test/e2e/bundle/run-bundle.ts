import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { startHost } from '../../../src/sandbox/host/start-host.ts'

/** Runs the bundle in the local host and tells which of its files were loaded, at `SIGUSR2`, one JSON line each time. */
const bundle = process.argv[2] ?? ''
const loaded = new Set<string>()
registerHooks({
  load(url, context, nextLoad) {
    if (url.includes(bundle)) loaded.add(url.slice(url.indexOf(bundle) + bundle.length + 1).replace(/\?.*$/, ''))
    return nextLoad(url, context)
  },
})
process.on('SIGUSR2', () => console.log(JSON.stringify({ loaded: [...loaded] })))
const host = await startHost({
  load: `${bundle}/functions/*.js`,
  appDirectory: process.cwd(),
  hostJson: JSON.parse(readFileSync('host.json', 'utf8')),
  port: 0,
  log: (line) => console.error(line.message),
})
console.log(JSON.stringify({ url: host.url }))
