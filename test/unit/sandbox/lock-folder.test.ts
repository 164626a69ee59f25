import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { lockFolder } from '../../../src/sandbox/lock-folder.ts'
import { StartError } from '../../../src/sandbox/start-error.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'lock-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

it('lets one sandbox into a folder at a time', () => {
  const [mine, other] = [folder(), folder()]
  const unlock = lockFolder(mine)
  expect(() => lockFolder(mine, 10)).toThrow(StartError)
  lockFolder(other)()
  unlock()
  lockFolder(mine)()
})

it('is let go by a process that is killed', async () => {
  const mine = folder()
  const keeper = `
    import { lockFolder } from './src/sandbox/lock-folder.ts'
    lockFolder(process.argv[1])
    console.log('locked')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', keeper, mine])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  expect(() => lockFolder(mine, 10)).toThrow(StartError)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  lockFolder(mine)()
})
