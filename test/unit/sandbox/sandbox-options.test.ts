import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseOptions } from '../../../src/sandbox/sandbox-options.ts'
import { explainStart, StartError } from '../../../src/sandbox/start-error.ts'

describe('options of npm start', () => {
  it('have defaults for a newcomer', () => {
    expect(parseOptions([])).toEqual({
      port: 7071,
      folder: resolve('.meshwright'),
      reset: false,
      empty: false,
      quiet: false,
      linkerd: false,
    })
  })

  it('are taken as they are given, paths as absolute ones', () => {
    const args =
      '--port 0 --folder state --reset --empty --quiet --linkerd --kubeconfig package.json --functions dist/*.js'
    expect(parseOptions([...args.split(' '), '--prometheus', 'http://localhost:9090'])).toEqual({
      port: 0,
      folder: resolve('state'),
      reset: true,
      empty: true,
      quiet: true,
      linkerd: true,
      kubeconfig: resolve('package.json'),
      functions: 'dist/*.js',
      prometheus: 'http://localhost:9090',
    })
  })

  it.each([
    ['--port 70000', '--port: 70000 is no port.'],
    ['--port -1', '--port'],
    ['--port=', '--port:  is no port.'],
    ['--port 0x10', '--port: 0x10 is no port.'],
    ['--prometheus localhost:9090', '--prometheus: localhost:9090 is no URL.'],
    ['--kubeconfig nowhere/config', `--kubeconfig: ${resolve('nowhere/config')} cannot be read.`],
    ['--prot 80', "Unknown option '--prot'"],
    ['web', "Unexpected argument 'web'"],
  ])('%s is refused', (args, message) => {
    expect(() => parseOptions(args.split(' '))).toThrow(StartError)
    expect(() => parseOptions(args.split(' '))).toThrow(message)
  })
})

describe('why a start failed', () => {
  it('is a sentence for what its user can mend, and everything for what they cannot', () => {
    expect(explainStart(new StartError('Do this.'))).toBe('Do this.')
    const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 7071 })
    expect(explainStart(taken)).toMatch(/^Port 7071 is in use.*--port N/)
    expect(explainStart(new Error('a mistake'))).toMatch(/^Error: a mistake\n +at /)
    expect(explainStart('text')).toBe('text')
  })
})
