import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { installCoreModule } from '../../../../src/sandbox/host/core-module.ts'

interface Core {
  registerFunction(metadata: object, callback: () => void): { dispose(): void }
  registerHook(name: string, callback: () => void): { dispose(): void }
}

const app = installCoreModule()
const require = createRequire(import.meta.url)
const core = require('@azure/functions-core') as Core

describe('the module @azure/functions-core', () => {
  test('is there for every require, and other modules are as before', () => {
    expect(createRequire('/')('@azure/functions-core')).toBe(core)
    expect(require('node:path')).toHaveProperty('join')
    expect(() => require('@azure/functions-corex')).toThrow('Cannot find module')
    expect(installCoreModule()).toBe(app)
  })

  test('takes functions until it is locked, each name once', () => {
    const one = core.registerFunction({ name: 'one', bindings: {} }, () => {})
    expect(() => core.registerFunction({ name: 'one', bindings: {} }, () => {})).toThrow('already been registered')
    expect([...app.functions.keys()]).toEqual(['one'])
    one.dispose()
    expect(app.functions.size).toBe(0)
    app.locked = true
    expect(() => core.registerFunction({ name: 'two', bindings: {} }, () => {})).toThrow(
      'only be registered during app startup',
    )
    app.locked = false
  })

  test('takes hooks by name and lets them go', () => {
    const hook = core.registerHook('appStart', () => {})
    expect(app.hooks.appStart).toHaveLength(1)
    hook.dispose()
    expect(app.hooks.appStart).toHaveLength(0)
    expect(() => core.registerHook('constructor', () => {})).toThrow(RangeError)
  })
})
