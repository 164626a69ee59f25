import type { RegisteredFunction } from '../../../../src/sandbox/host/core-module.ts'
import type { BindingInfo, RetryOptions } from '../../../../src/sandbox/host/core-types.ts'
import type { HostClock } from '../../../../src/sandbox/host/host-clock.ts'
import { createInvoker, type Invoker } from '../../../../src/sandbox/host/invoker.ts'

/** A function with one trigger, as the library would register it. */
export function functionWith(trigger: Omit<BindingInfo, 'direction'>, retryOptions?: RetryOptions): RegisteredFunction {
  const bindings = { trigger: { ...trigger, direction: 'in' } as BindingInfo }
  return {
    metadata: { name: 'fn', functionId: 'fn', bindings, ...(retryOptions ? { retryOptions } : {}) },
    callback: () => {},
  }
}

export interface Call {
  readonly input: unknown
  readonly metadata: unknown
  readonly retryCount: number | undefined
}

/** The host's invoker with a programming model that hands the raw call to `handler`. */
export function invokerFor(clock: HostClock, handler: (call: Call) => unknown): Invoker {
  const model = {
    name: 'test',
    version: '1',
    getInvocationModel: (core: {
      request: {
        inputData: readonly { data: object }[]
        triggerMetadata: object
        retryContext?: { retryCount: number }
      }
    }) => ({
      getArguments: async () => ({ context: {}, inputs: [] }),
      invokeFunction: async () => {
        const data = core.request.inputData[0]?.data as { json?: string; string?: string }
        const input = data.json === undefined ? data.string : JSON.parse(data.json)
        return handler({
          input,
          metadata: core.request.triggerMetadata,
          retryCount: core.request.retryContext?.retryCount,
        })
      },
      getResponse: async () => ({ invocationId: '' }),
    }),
  }
  const app = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    appHookData: {},
    appLevelHookData: {},
    model,
    locked: true,
    log: () => {},
  }
  return createInvoker({ app, clock, log: () => {}, functionTimeoutMs: undefined, random: () => 0.5 })
}
