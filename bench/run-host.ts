import { readFileSync } from 'node:fs'
import { startHost } from '../src/sandbox/host/start-host.ts'

/** Runs the functions of a glob in the local host and prints its URL: the same host for the product and for a hello-world. */
const host = await startHost({
  load: process.argv[2] ?? '',
  appDirectory: process.cwd(),
  hostJson: JSON.parse(readFileSync('host.json', 'utf8')),
  port: 0,
  log: () => {},
})
console.log(host.url)
