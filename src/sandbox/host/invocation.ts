import type { CoreApp, RegisteredFunction } from './core-module.ts'
import type {
  BindingInfo,
  CoreInvocationContext,
  CoreLogLevel,
  InvocationRequest,
  InvocationResponse,
  ProgrammingModel,
} from './core-types.ts'
import type { HostLog, LogLine } from './host-log.ts'

/** Name and settings of a function's trigger. Throws when it has none. */
export function triggerOf(fn: RegisteredFunction): { readonly name: string; readonly binding: BindingInfo } {
  for (const [name, binding] of Object.entries(fn.metadata.bindings)) {
    if (/trigger$/i.test(binding.type)) return { name, binding }
  }
  throw new Error(`Function "${fn.metadata.name}" has no trigger`)
}

/**
 * Runs one invocation the way Azure's Node worker does (InvocationHandler): the library makes the arguments, then come
 * the hooks `preInvocation`, the handler, the hooks `postInvocation`, and the library turns the result into an answer. A
 * hook may replace inputs, handler, result and error. Throws what the handler or a hook threw.
 */
export async function runInvocation(
  app: CoreApp,
  fn: RegisteredFunction,
  request: InvocationRequest,
  log: HostLog,
): Promise<InvocationResponse> {
  const scope: { context?: unknown } = {}
  const write = invocationLog(app, fn, request, log, scope)
  const core: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata: fn.metadata,
    state: undefined,
    log: (level, category, message) => write(level, category === 'user' ? 'user' : 'system', message),
  }
  const model = await modelOf(app).getInvocationModel(core)
  const { context, inputs } = await model.getArguments()
  scope.context = context
  const hookData = {}
  const shared = { hookData, appHookData: app.appHookData, invocationContext: context }

  const before = readOnly(shared, { inputs, functionCallback: fn.callback })
  await inState(core, 'preInvocationHooks', () => runHooks(app, 'preInvocation', before))

  const after = readOnly(shared, { inputs: before.inputs, result: null as unknown, error: null as unknown })
  await inState(core, 'invocation', async () => {
    try {
      after.result = await model.invokeFunction(context, before.inputs, before.functionCallback)
    } catch (error) {
      after.error = error ?? new Error('Unknown error')
    }
  })
  await inState(core, 'postInvocationHooks', () => runHooks(app, 'postInvocation', after))
  if (after.error !== null && after.error !== undefined) throw after.error
  return model.getResponse(context, after.result)
}

/** Runs the hooks `appStart` or `appTerminate`, in the order of their registration. Throws what a hook throws. */
export async function runAppHooks(app: CoreApp, name: 'appStart' | 'appTerminate', extra: object): Promise<void> {
  const shared = { hookData: app.appLevelHookData, appHookData: app.appHookData }
  await runHooks(app, name, readOnly(shared, { ...extra }))
}

/** Shows a line to the app's `log` hooks, which may change level and message of its own lines, and then logs it. */
export function logThroughHooks(app: CoreApp, log: HostLog, line: LogLine, invocationContext?: unknown): void {
  const shared = { hookData: app.appLevelHookData, appHookData: app.appHookData, invocationContext }
  const context = readOnly({ ...shared, category: line.category }, { level: line.level, message: line.message })
  for (const hook of app.hooks.log) hook(context)
  log(line.category === 'user' ? { ...line, level: context.level, message: context.message } : line)
}

function modelOf(app: CoreApp): ProgrammingModel {
  if (!app.model) throw new Error('No programming model: the app has not loaded @azure/functions')
  return app.model
}

async function runHooks(
  app: CoreApp,
  name: 'preInvocation' | 'postInvocation' | 'appStart' | 'appTerminate',
  context: object,
) {
  for (const hook of app.hooks[name]) await hook(context)
}

async function inState(
  core: CoreInvocationContext,
  state: CoreInvocationContext['state'],
  work: () => Promise<unknown>,
): Promise<void> {
  core.state = state
  try {
    await work()
  } finally {
    core.state = undefined
  }
}

/** An object whose first part cannot be replaced (assigning throws, as modules are strict), only its second. */
function readOnly<Fixed extends object, Free extends object>(fixed: Fixed, free: Free): Readonly<Fixed> & Free {
  const descriptors = Object.entries(fixed).map(([key, value]) => [key, { value, enumerable: true, writable: false }])
  return Object.defineProperties({ ...free }, Object.fromEntries(descriptors)) as Readonly<Fixed> & Free
}

function invocationLog(
  app: CoreApp,
  fn: RegisteredFunction,
  request: InvocationRequest,
  log: HostLog,
  scope: { readonly context?: unknown },
) {
  return (level: CoreLogLevel, category: 'user' | 'system', message: string): void => {
    const line = { level, category, message, functionName: fn.metadata.name, invocationId: request.invocationId }
    logThroughHooks(app, log, line, scope.context)
  }
}
