import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../../../src/sandbox/demo/main.ts')

/** The demo in a process of its own with a temporary folder of its own, so that what it leaves is seen. */
function startDemo() {
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  const home = mkdtempSync(join(tmpdir(), 'demo-home-'))
  const child = spawn(process.execPath, [MAIN], { cwd: home, env: { ...process.env, TMPDIR: folder } })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const exited = once(child, 'exit').then(([code]) => {
    const left = readdirSync(folder)
    const lines = output.trimEnd().split('\n')
    const path = /^its evidence, as a picture: (.+)$/m.exec(output)?.[1]
    const picture = path === undefined ? undefined : readFileSync(join(home, path), 'utf8')
    for (const used of [folder, home]) rmSync(used, { recursive: true, force: true })
    return { code: code as number | null, lines, left, path, picture }
  })
  return { child, exited }
}

describe('npm run demo', { concurrent: true, timeout: 120_000 }, () => {
  test('promotes the good candidate, lets the gate roll back the bad one, rotates a certificate, and says so last; the evidence of the rollback is a picture to look at', async () => {
    const { code, lines, left, path, picture } = await startDemo().exited
    expect(path).toBe(join('.meshwright', 'demo-evidence.svg'))
    expect(picture).toMatch(/^<\?xml .*\n<svg [\s\S]*>shop\/web: v2 → v3, rolled-back<[\s\S]*<\/svg>\n$/)
    expect(lines.at(-4)).toBe('promoted: v2 gets all requests on east and west')
    expect(lines.at(-1)).toMatch(/^rotated: web-tls from ([0-9a-f]+) to (?!\1)[0-9a-f]+ on east and west, good until 2/)
    expect(lines.at(-3)).toMatch(
      /^rolled back: gate errors on (east|west|all clusters together): \d+ of \d+ requests failed/,
    )
    expect(lines).toContainEqual(expect.stringMatching(/^v2 on east: .* v2 asked 50 %, seen \d+\.\d %, \d\.\d\d %/))
    expect({ code, left }).toEqual({ code: 0, left: [] })
  })

  test('leaves nothing behind when it is stopped', async () => {
    const { child, exited } = startDemo()
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    const { code, left } = await exited
    expect({ code, left }).toEqual({ code: 130, left: [] })
  })
})
