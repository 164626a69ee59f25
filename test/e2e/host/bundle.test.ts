import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildFunctions, describeSizes } from '../../../scripts/build.ts'

// Outside the project: no node_modules, so nothing but the bundle itself can be loaded.
const directory = mkdtempSync(join(tmpdir(), 'meshwright-bundle-'))
let sizes: string
let child: ChildProcess
let ready: { ready: string; names: string[] }
const lines: string[] = []

beforeAll(async () => {
  const functions = resolve(import.meta.dirname, 'fixtures/functions')
  sizes = describeSizes(await buildFunctions({ functions, out: join(directory, 'dist') }))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', main: 'dist/functions/*.js' }))
  const script = resolve(import.meta.dirname, 'fixtures/run-host.ts')
  child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (!child.stdout) throw new Error('no output')
  ready = await new Promise((found) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('{"ready"')) found(JSON.parse(line))
    })
  })
})

afterAll(() => {
  child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

describe('the bundle', () => {
  test('has one module for each function file, and shared code beside them', () => {
    const files = readdirSync(join(directory, 'dist/functions')).sort()
    expect(files).toEqual(['background.js', 'background.js.map', 'http.js', 'http.js.map'])
    expect(readdirSync(join(directory, 'dist/chunks')).length).toBeGreaterThan(0)
    expect(sizes).toContain('dist/functions/http.js')
  })

  test('says in meta.json what went where', () => {
    const { inputs } = JSON.parse(readFileSync(join(directory, 'dist/meta.json'), 'utf8')) as { inputs: object }
    expect(Object.keys(inputs).some((file) => file.endsWith('fixtures/functions/http.ts'))).toBe(true)
  })

  test('registers every function behind the hook for @azure/functions-core', () => {
    expect(ready.names).toEqual(expect.arrayContaining(['tick', 'work', 'feed', 'item', 'zAnything', 'stream']))
  })

  test('answers, streams and keeps the names of functions', async () => {
    const response = await fetch(`${ready.ready}/items/x`, { method: 'PUT', body: new Uint8Array(1_100_000) })
    expect(await response.json()).toMatchObject({ function: 'item', bodyBytes: 1_100_000 })
    const leave = new AbortController()
    const stream = await fetch(`${ready.ready}/stream`, { signal: leave.signal })
    // Under load the first read may bring several parts; the stream ends only when its client leaves, so it has streamed.
    expect(new TextDecoder().decode((await stream.body?.getReader().read())?.value)).toMatch(/^data: 1\n\n/)
    leave.abort()
  })

  test('logs one JSON object a line', () => {
    const line = lines.map((text) => JSON.parse(text)).find(({ functionName }) => functionName === 'item')
    expect(line).toMatchObject({ level: 'information', category: 'user', message: 'described PUT' })
  })

  test('ends by itself after a stop', async () => {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })
})
