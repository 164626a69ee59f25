import Module from 'node:module'
import type {
  CoreLogCategory,
  CoreLogLevel,
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  ProgrammingModel,
} from './core-types.ts'

/** A function as the app registered it. */
export interface RegisteredFunction {
  readonly metadata: FunctionMetadata
  readonly callback: FunctionCallback
}

/** What an app has told `@azure/functions-core` so far. One a process, as in Azure's worker. */
export interface CoreApp {
  readonly functions: Map<string, RegisteredFunction>
  readonly hooks: Readonly<Record<HookName, HookCallback[]>>
  /** Shared by the hooks of all scopes. */
  readonly appHookData: Record<string, unknown>
  /** Shared by the hooks `appStart` and `appTerminate`. */
  readonly appLevelHookData: Record<string, unknown>
  model: ProgrammingModel | undefined
  /** True after start-up: registering is refused from then on. */
  locked: boolean
  /** Where log lines outside an invocation go. */
  log: (level: CoreLogLevel, category: CoreLogCategory, message: string) => void
}

/** The worker's own message for what an app may not do; the library tests for this mark. */
class CoreError extends Error {
  readonly isAzureFunctionsSystemError = true
}

class CoreRangeError extends RangeError {
  readonly isAzureFunctionsSystemError = true
}

class Disposable {
  private readonly callOnDispose: () => unknown

  constructor(callOnDispose: () => unknown) {
    this.callOnDispose = callOnDispose
  }

  static from(...all: { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => {
      for (const one of all) one.dispose()
    })
  }

  dispose(): unknown {
    return this.callOnDispose()
  }
}

const moduleName = '@azure/functions-core'
let installed: CoreApp | undefined

/**
 * Makes `require('@azure/functions-core')` answer in this process and returns the app that fills up behind it. Must run
 * before the first import of `@azure/functions`. The hook is the one Azure's Node worker sets: a proxy around
 * `Module.prototype.require`, which also serves `createRequire`. Calling it again returns the same app.
 */
export function installCoreModule(): CoreApp {
  if (installed) return installed
  const app: CoreApp = {
    functions: new Map(),
    hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [], log: [] },
    appHookData: {},
    appLevelHookData: {},
    model: undefined,
    locked: false,
    log: () => {},
  }
  const core = coreApi(app)
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, args) => (args[0] === moduleName ? core : Reflect.apply(target, self, args)),
  })
  installed = app
  return app
}

function coreApi(app: CoreApp): object {
  return {
    version: '3.10.1',
    hostVersion: '4.1037.0',
    Disposable,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      registerFunction(app, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(app, name, callback),
    setProgrammingModel: (model: ProgrammingModel) => {
      app.model = model
    },
    getProgrammingModel: () => app.model,
    log: (level: CoreLogLevel, category: CoreLogCategory, message: string) => app.log(level, category, message),
  }
}

function registerFunction(app: CoreApp, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  if (app.locked) throw new CoreError('A function can only be registered during app startup.')
  const id = metadata.functionId || metadata.name
  if (app.functions.has(id)) throw new CoreError(`A function with id "${id}" has already been registered.`)
  app.functions.set(id, { metadata: { ...metadata, functionId: id }, callback })
  return new Disposable(() => {
    if (app.locked) throw new CoreError('A function can only be disposed during app startup.')
    app.functions.delete(id)
  })
}

function registerHook(app: CoreApp, name: string, callback: HookCallback): Disposable {
  if (!Object.hasOwn(app.hooks, name)) throw new CoreRangeError(`Unrecognized hook "${name}"`)
  const hooks = app.hooks[name as HookName]
  hooks.push(callback)
  return new Disposable(() => {
    const at = hooks.indexOf(callback)
    if (at >= 0) hooks.splice(at, 1)
  })
}
