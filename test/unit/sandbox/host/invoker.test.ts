import { describe, expect, test } from 'vitest'
import type { CoreApp } from '../../../../src/sandbox/host/core-module.ts'
import type { HookCallback } from '../../../../src/sandbox/host/core-types.ts'
import type { LogLine } from '../../../../src/sandbox/host/host-log.ts'
import { createInvoker } from '../../../../src/sandbox/host/invoker.ts'
import { functionWith } from './fake-invoker.ts'
import { settle, virtualClock } from './virtual-clock.ts'

type Hooks = Partial<Record<keyof CoreApp['hooks'], HookCallback[]>>

function setUp(callback: (...args: unknown[]) => unknown, options: { hooks?: Hooks; functionTimeoutMs?: number } = {}) {
  const clock = virtualClock()
  const lines: LogLine[] = []
  const results: unknown[] = []
  const app: CoreApp = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [], ...options.hooks },
    appHookData: {},
    appLevelHookData: {},
    locked: true,
    log: () => {},
    model: {
      name: 'test',
      version: '1',
      getInvocationModel: (core) => ({
        getArguments: async () => ({ context: { id: core.invocationId }, inputs: ['input'] }),
        async invokeFunction(context, inputs, run) {
          core.log('information', 'user', `state ${core.state}`)
          return run(...inputs, context)
        },
        async getResponse(_context, result) {
          results.push(result)
          return { invocationId: core.invocationId }
        },
      }),
    },
  }
  const limit = options.functionTimeoutMs
  const invoker = createInvoker({
    app,
    clock,
    log: (line) => lines.push(line),
    functionTimeoutMs: limit,
    random: () => 0.5,
  })
  const fn = { ...functionWith({ type: 'timerTrigger' }), callback }
  const data = { input: { string: '' }, metadata: {}, invocationId: 'i1' }
  return { clock, lines, results, invoker, invoke: () => invoker.invoke(fn, data), fn, data }
}

describe('an invocation', () => {
  test('runs the handler and logs one line with its time', async () => {
    const { invoke, results, lines } = setUp(async (input, context) => ({ input, context }))
    expect((await invoke()).succeeded).toBe(true)
    expect(results).toEqual([{ input: 'input', context: { id: 'i1' } }])
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'Executing'],
      ['information', 'state invocation'],
      ['information', 'Executed (succeeded, 0 ms)'],
    ])
    expect(lines.every(({ functionName, invocationId }) => functionName === 'fn' && invocationId === 'i1')).toBe(true)
  })

  test.each([
    ['an error', new Error('broken')],
    ['a text', 'broken'],
  ])('returns and logs %s that the handler throws', async (_reason, thrown) => {
    const { invoke, lines } = setUp(() => {
      throw thrown
    })
    const outcome = await invoke()
    expect(outcome).toMatchObject({ succeeded: false, error: { message: 'broken' } })
    expect(lines.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('broken') })
  })

  test('a hook before may replace inputs and handler, but not the context', async () => {
    const replace: HookCallback = (context) => {
      const hook = context as { inputs: unknown[]; functionCallback: unknown; invocationContext: unknown }
      hook.inputs = ['other']
      hook.functionCallback = (input: unknown) => `replaced ${input}`
      expect(() => {
        hook.invocationContext = {}
      }).toThrow(TypeError)
    }
    const { invoke, results } = setUp(() => 'own', { hooks: { preInvocation: [replace] } })
    expect((await invoke()).succeeded).toBe(true)
    expect(results).toEqual(['replaced other'])
  })

  test('hooks share data, and one after may forgive an error', async () => {
    const before: HookCallback = (context) => {
      ;(context as { hookData: Record<string, unknown> }).hookData.seen = 1
    }
    const after: HookCallback = (context) => {
      const hook = context as { hookData: Record<string, unknown>; error: unknown; result: unknown }
      hook.result = [hook.hookData.seen, String(hook.error)]
      hook.error = null
    }
    const { invoke, results } = setUp(
      () => {
        throw new Error('no')
      },
      { hooks: { preInvocation: [before], postInvocation: [after] } },
    )
    expect((await invoke()).succeeded).toBe(true)
    expect(results).toEqual([[1, 'Error: no']])
  })

  test('a log hook may reword the lines of the app', async () => {
    const reword: HookCallback = (context) => {
      const line = context as { level: string; message: string }
      line.level = 'warning'
      line.message = line.message.toUpperCase()
    }
    const { invoke, lines } = setUp(() => {}, { hooks: { log: [reword] } })
    await invoke()
    expect(lines.find(({ category }) => category === 'user')).toMatchObject({
      level: 'warning',
      message: 'STATE INVOCATION',
    })
  })

  test('fails when it takes longer than the limit', async () => {
    const { clock, invoke } = setUp(() => new Promise(() => {}), { functionTimeoutMs: 600_000 })
    const outcome = invoke()
    await clock.advance(600_000)
    expect(await outcome).toMatchObject({
      succeeded: false,
      error: { message: 'The time limit of 600000 ms was exceeded' },
    })
  })

  test('draining waits for what runs, and gives up after its limit', async () => {
    const { clock, invoker, invoke } = setUp(() => clock.sleep(5000))
    void invoke()
    const short = invoker.drain(1000)
    const long = invoker.drain(60_000)
    await clock.advance(1000)
    expect(await short).toBe(1)
    await clock.advance(5000)
    await settle()
    expect(await long).toBe(0)
  })
})
